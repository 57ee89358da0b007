// What Prometheus answered goes in, the frames that Grafana's Prometheus data source makes of it come out.
import { DataFrame, FieldType, getDisplayProcessor, GrafanaTheme2, toDataFrame } from "@grafana/data";

export interface Series {
  metric: Record<string, string>;
  // Seconds, and the number as text.
  values: [number, string][];
}

export interface Target {
  refId: string;
  legendFormat: string;
  // Prometheus' own answer to `expr`.
  result: Series[];
}

export interface Panel {
  id: number;
  type: "timeseries" | "stat";
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  fieldConfig: { defaults: Record<string, any> };
  options: Record<string, any>;
  targets: Target[];
}

const legend = (target: Target, labels: Record<string, string>) =>
  target.legendFormat.replace(/{{\s*(.+?)\s*}}/g, (_, name) => labels[name] ?? "");

// What is not finite, such as a quantile of nothing, is a gap.
const number = ([, text]: [number, string]) => (Number.isFinite(Number(text)) ? Number(text) : null);

export function framesOf(panel: Panel, theme: GrafanaTheme2): DataFrame[] {
  const series = panel.targets.flatMap((target) => target.result.map((one) => ({ target, one })));
  return series.map(({ target, one }, seriesIndex) => {
    const config = {
      color: { mode: "palette-classic" },
      ...panel.fieldConfig.defaults,
      displayNameFromDS: legend(target, one.metric),
    };
    const frame = toDataFrame({
      refId: target.refId,
      fields: [
        { name: "Time", type: FieldType.time, values: one.values.map(([at]) => at * 1000) },
        { name: "Value", type: FieldType.number, config, values: one.values.map(number) },
      ],
    });
    for (const field of frame.fields) {
      field.state = { ...field.state, seriesIndex };
      field.display = getDisplayProcessor({ field, theme });
    }
    return frame;
  });
}
