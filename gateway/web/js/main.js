/** The page's elements in, a conversation with a face out: every part is made and joined here. */
import { Conversation } from "./conversation.js";
import { Captions } from "./face/captions.js";
import { Face } from "./face/face.js";
import { floatOnDemand } from "./face/floating.js";
import { Gateway } from "./gateway.js";
import { phrase, translatePage } from "./i18n/strings.js";
import { remember } from "./keeping/memory.js";
import { patiently } from "./patience.js";
import { Preferences } from "./preferences.js";
import { withRole } from "./request.js";
import { Session } from "./session.js";
import { Composer } from "./view/composer.js";
import { takeDroppedPortraits } from "./view/dropping.js";
import { Faces } from "./view/faces.js";
import { HistoryBox } from "./view/history.js";
import { forgetKey, KeySheet } from "./view/key_sheet.js";
import { wordsOf } from "./view/markdown.js";
import { noticeOf } from "./view/notice.js";
import { PortraitSheet } from "./view/portrait.js";
import { Progress } from "./view/progress.js";
import { saveTranscript } from "./view/saving.js";
import { Settings } from "./view/settings.js";
import { Slowness } from "./view/slowness.js";
import { Sound } from "./view/sound.js";
import { TokenCount } from "./view/token_count.js";
import { fillSuggestions, Transcript } from "./view/transcript.js";
import { Wardrobe } from "./wardrobe.js";

const at = (id) => document.getElementById(id);

translatePage();

const keySheet = new KeySheet({ dialog: at("key-sheet"), field: at("key"), flaw: at("key-flaw") });
const gateway = new Gateway({ key: keySheet.kept, askForKey: (refused) => keySheet.ask(refused) });
const conversation = new Conversation();
const preferences = new Preferences();
const wardrobe = new Wardrobe(gateway, preferences);
const face = new Face({ idle: at("idle"), speech: at("speech") });
const captions = new Captions(at("captions"), at("speech"));
const progress = new Progress({
  box: at("progress"),
  track: at("progress-track"),
  bar: at("progress-bar"),
  stage: at("progress-stage"),
  seconds: at("progress-seconds"),
});
const slowness = new Slowness(at("slowness"), () => gateway.stages());
const announce = (text) => (at("announcer").textContent = wordsOf(text));
const session = new Session({ gateway, conversation, preferences, face, captions, progress, slowness, announce });
const composer = new Composer(
  { form: at("composer"), field: at("message"), send: at("send"), stop: at("stop") },
  { onSend: say, onStop: () => session.stop(), onDraft: () => tokens.refresh() },
);
const settings = new Settings(at("settings"), preferences);
const sound = new Sound(at("speech"), { mute: at("sound"), volume: at("volume"), hear: at("hear") }, preferences);
new Transcript({ scroller: at("transcript"), list: at("messages"), welcome: at("welcome") }, conversation, {
  onAskAgain: (message) => session.askAgain(message),
  onEdit: (message, text) => session.edit(message, text),
  onInclude: (message, included) => conversation.change(message, { included }),
  onReplay: (message) => session.replay(message),
});
const tokens = new TokenCount(at("tokens"), {
  question: () => {
    const draft = composer.draft === "" ? [] : [{ role: "user", content: composer.draft }];
    return { messages: withRole([...conversation.history(), ...draft], preferences), model: preferences.get("model") };
  },
  count: (...question) => gateway.countTokens(...question),
});
for (const type of ["added", "changed", "removed", "cleared"])
  conversation.addEventListener(type, () => tokens.refresh());
preferences.addEventListener("changed", () => tokens.refresh());
new HistoryBox({ row: at("include-all-row"), box: at("include-all"), label: at("include-all-text") }, conversation);
fillSuggestions(at("suggestions"), say);
new Faces({ row: at("faces"), add: at("add-portrait") }, wardrobe, preferences);
const portraitSheet = new PortraitSheet(
  at("portrait"),
  {
    form: at("portrait-form"),
    file: at("portrait-file"),
    zone: at("portrait-zone"),
    picture: at("portrait-picture"),
    clip: at("portrait-clip"),
    name: at("portrait-name"),
    refusal: at("portrait-refusal"),
    progress: at("portrait-progress"),
    track: at("portrait-track"),
    step: at("portrait-step"),
    share: at("portrait-share"),
    cancel: at("portrait-cancel"),
    make: at("portrait-make"),
  },
  { add: addFace },
);
at("add-portrait").addEventListener("click", () => portraitSheet.open());
takeDroppedPortraits(document.body, (file) => at("key-sheet").open || portraitSheet.open(file));

at("open-settings").addEventListener("click", () => {
  at("forget-key").hidden = keySheet.kept === "";
  settings.open();
  at("faces").querySelector(":checked")?.focus();
});
at("forget-key").addEventListener("click", forgetKey);
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

wardrobe.addEventListener("changed", () => {
  if (!wardrobe.worn) return;
  face.wear(wardrobe.worn);
  at("ambient").src = wardrobe.worn.poster_url;
  at("ambient").hidden = false;
});
preferences.addEventListener("changed", ({ detail: { name, value } }) => {
  if (name === "video") document.body.classList.toggle("text-only", !value);
});
document.body.classList.toggle("text-only", !preferences.get("video"));
drawState();
// On a touch screen focus would raise the keyboard over the face.
if (matchMedia("(pointer: fine)").matches) composer.focus();

const remembered = remember(conversation, () => session.speaking).then((interrupted) => session.resume(interrupted));

async function say(text) {
  await remembered;
  session.say(text);
}

async function addFace(portrait, options) {
  await wardrobe.add(portrait, options);
  announce(phrase("portraitMade", { name: wardrobe.worn.name }));
}

wardrobe.open();
patiently(() => gateway.voices()).then((voices) => settings.offerVoices(voices));
patiently(() => gateway.networks()).then((networks) => settings.offerNetworks(networks));
patiently(() => gateway.models(), () => (at("notice").textContent = phrase("noticeStarting"))).then((models) => {
  at("notice").textContent = noticeOf(models[0]);
  settings.offerModels(models);
});
