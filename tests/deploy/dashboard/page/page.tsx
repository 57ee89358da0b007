// The dashboard and what Prometheus answered go in, Grafana's own panels come out, drawn without its server.
import "@fontsource/inter/400.css";
import "@fontsource/inter/500.css";
import {
  createTheme,
  DataFrame,
  dateTime,
  EventBusSrv,
  FieldType,
  ThemeContext,
  TimeRange,
} from "@grafana/data";
import {
  BigValue,
  BigValueColorMode,
  BigValueGraphMode,
  GlobalStyles,
  PanelChrome,
  PanelContextProvider,
  TimeSeries,
} from "@grafana/ui";
import { createRoot } from "react-dom/client";
import { framesOf, Panel } from "./frames";

declare const shown: { title: string; from: number; to: number; width: number; panels: Panel[] };

// Grafana's grid: 24 columns, rows of 30 pixels, 8 between panels.
const COLUMNS = 24;
const GAP = 8;
const ROW = 30 + GAP;

const theme = createTheme({ colors: { mode: "dark" } });
const from = dateTime(shown.from * 1000);
const to = dateTime(shown.to * 1000);
const timeRange: TimeRange = { from, to, raw: { from, to } };
const context = { eventsScope: "dashboard", eventBus: new EventBusSrv() };

const Stat = ({ frame, width, height }: { frame: DataFrame; width: number; height: number }) => {
  const field = frame.fields.find((each) => each.type === FieldType.number)!;
  return (
    <BigValue
      theme={theme}
      width={width}
      height={height}
      colorMode={BigValueColorMode.Value}
      graphMode={BigValueGraphMode.None}
      value={field.display!(field.values.at(-1))}
    />
  );
};

const Content = ({ panel, width, height }: { panel: Panel; width: number; height: number }) => {
  const frames = framesOf(panel, theme);
  if (!frames.length) {
    return <span className="no-data">No data</span>;
  }
  if (panel.type === "stat") {
    return <Stat frame={frames[0]} width={width} height={height} />;
  }
  const { legend } = panel.options;
  return (
    <TimeSeries frames={frames} width={width} height={height} timeRange={timeRange} timeZone="utc" legend={legend} />
  );
};

const Dashboard = () => (
  <ThemeContext.Provider value={theme}>
    <GlobalStyles />
    <PanelContextProvider value={context}>
      {shown.panels.map((panel) => {
        const { x, y, w, h } = panel.gridPos;
        const column = (shown.width - GAP) / COLUMNS;
        const place = { position: "absolute", left: GAP + x * column, top: GAP + y * ROW } as const;
        return (
          <div key={panel.id} style={place}>
            <PanelChrome
              title={panel.title}
              description={panel.description}
              width={w * column - GAP}
              height={h * ROW - GAP}
            >
              {(width, height) => <Content panel={panel} width={width} height={height} />}
            </PanelChrome>
          </div>
        );
      })}
    </PanelContextProvider>
  </ThemeContext.Provider>
);

createRoot(document.getElementById("dashboard")!).render(<Dashboard />);
