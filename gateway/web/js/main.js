/** The page's elements in, a conversation with a face out: every part is made and joined here. */
import { avatars, models, voices } from "./api.js";
import { Conversation } from "./conversation.js";
import { Captions } from "./face/captions.js";
import { Face } from "./face/face.js";
import { floatOnDemand } from "./face/floating.js";
import { phrase, translatePage } from "./i18n/strings.js";
import { remember } from "./memory.js";
import { patiently } from "./patience.js";
import { Preferences } from "./preferences.js";
import { withRole } from "./request.js";
import { Session } from "./session.js";
import { Composer } from "./view/composer.js";
import { HistoryBox } from "./view/history.js";
import { wordsOf } from "./view/markdown.js";
import { noticeOf } from "./view/notice.js";
import { Progress } from "./view/progress.js";
import { saveTranscript } from "./view/saving.js";
import { Settings } from "./view/settings.js";
import { Slowness } from "./view/slowness.js";
import { Sound } from "./view/sound.js";
import { TokenCount } from "./view/token_count.js";
import { fillSuggestions, Transcript } from "./view/transcript.js";

const at = (id) => document.getElementById(id);

translatePage();

const conversation = new Conversation();
const preferences = new Preferences();
const face = new Face({ idle: at("idle"), speech: at("speech") });
const captions = new Captions(at("captions"), at("speech"));
const progress = new Progress({
  box: at("progress"),
  track: at("progress-track"),
  bar: at("progress-bar"),
  stage: at("progress-stage"),
  seconds: at("progress-seconds"),
});
const slowness = new Slowness(at("slowness"));
const announce = (text) => (at("announcer").textContent = wordsOf(text));
const session = new Session({ conversation, preferences, face, captions, progress, slowness, announce });
const composer = new Composer(
  { form: at("composer"), field: at("message"), send: at("send"), stop: at("stop") },
  { onSend: (text) => session.say(text), onStop: () => session.stop(), onDraft: () => tokens.refresh() },
);
const settings = new Settings(at("settings"), preferences);
const sound = new Sound(at("speech"), { mute: at("sound"), volume: at("volume"), hear: at("hear") }, preferences);
new Transcript({ scroller: at("transcript"), list: at("messages"), welcome: at("welcome") }, conversation, {
  onAskAgain: (message) => session.askAgain(message),
  onEdit: (message, text) => session.edit(message, text),
  onInclude: (message, included) => conversation.change(message, { included }),
  onReplay: (message) => session.replay(message),
});
const tokens = new TokenCount(at("tokens"), () => {
  const draft = composer.draft === "" ? [] : [{ role: "user", content: composer.draft }];
  return { messages: withRole([...conversation.history(), ...draft], preferences), model: preferences.get("model") };
});
for (const type of ["added", "changed", "removed", "cleared"])
  conversation.addEventListener(type, () => tokens.refresh());
preferences.addEventListener("changed", () => tokens.refresh());
new HistoryBox({ row: at("include-all-row"), box: at("include-all"), label: at("include-all-text") }, conversation);
fillSuggestions(at("suggestions"), (text) => session.say(text));

at("open-settings").addEventListener("click", () => settings.open());
at("save").addEventListener("click", () => saveTranscript(conversation.messages));
at("new-conversation").addEventListener("click", () => {
  session.startOver();
  composer.focus();
});

const STATE_WORDS = { idle: "stateIdle", thinking: "stateThinking", speaking: "stateSpeaking" };

function drawState() {
  at("stage").dataset.state = face.state;
  at("state-text").textContent = phrase(STATE_WORDS[face.state]);
  if (face.state === "idle") sound.awaitTap(false);
  captions.follow(face.speaking);
  document.body.classList.toggle("busy", session.busy);
  composer.show({ busy: session.busy, speaking: face.speaking });
}

face.addEventListener("changed", drawState);
session.addEventListener("changed", drawState);
session.addEventListener("asked", () => sound.restore());
face.addEventListener("muffled", () => sound.awaitTap(true));
floatOnDemand(at("float"), face, { idle: at("idle"), speech: at("speech") });

let offered = [];

function wearChosenAvatar() {
  const avatar = offered.find(({ id }) => id === preferences.get("avatar")) ?? offered[0];
  if (!avatar) return;
  face.wear(avatar);
  at("ambient").src = avatar.poster_url;
  at("ambient").hidden = false;
}

preferences.addEventListener("changed", ({ detail: { name, value } }) => {
  if (name === "avatar") wearChosenAvatar();
  if (name === "video") document.body.classList.toggle("text-only", !value);
});
document.body.classList.toggle("text-only", !preferences.get("video"));
session.resume(remember(conversation, () => session.speaking));
drawState();
// On a touch screen focus would raise the keyboard over the face.
if (matchMedia("(pointer: fine)").matches) composer.focus();

patiently(models, () => (at("notice").textContent = phrase("noticeStarting"))).then((offered) => {
  at("notice").textContent = noticeOf(offered[0]);
  settings.offerModels(offered);
});
patiently(() => Promise.all([avatars(), voices()])).then(([faces, spoken]) => {
  offered = faces;
  settings.offer({ avatars: faces, voices: spoken });
  wearChosenAvatar();
});
