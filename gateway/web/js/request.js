/** A history and the user's choices in, a request's body out; what was not chosen is left to the server. */
const PARAMETERS = [
  "avatar",
  "network",
  "language",
  "voice",
  "speaking_rate",
  "pitch_semitones",
  "model",
  "temperature",
  "max_tokens",
  "presence_penalty",
  "frequency_penalty",
  "stop",
  "logit_bias",
];

/** @returns {object} the body of `POST /v1/replies` */
export function replyRequest(history, preferences) {
  const chosen = PARAMETERS.map((name) => [name, preferences.get(name)]).filter(([, value]) => isChosen(value));
  return {
    messages: withRole(history, preferences),
    ...Object.fromEntries(chosen),
    ...(!preferences.get("video") && { outputs: ["text"] }),
  };
}

/** The history, after what the user wants the model to be. */
export function withRole(history, preferences) {
  const role = preferences.get("system").trim();
  return role === "" ? history : [{ role: "system", content: role }, ...history];
}

/** 0 is a choice; an empty list is none. */
function isChosen(value) {
  return value !== null && value !== "" && (typeof value !== "object" || Object.keys(value).length > 0);
}
