// A stand-in for a page that runs classic scripts in the order in which they arrive; for tests of that order only.
// Reads {files, listed, arrivals} from stdin: texts by address, the addresses of the page's own scripts, and in which
// order they arrive. What the scripts themselves ask for arrives after them, then comes the load event.
// Prints what the scripts noted by `note(…)`, what they fetched, and what went wrong.
"use strict";
const SITE = "https://site.test/";
const vm = require("node:vm");
const { files, listed, arrivals, late } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const notes = [];
const fetched = [];
const hints = [];
const errors = [];
const elements = [];
const waiting = [];
const atLoad = [];

class Element {
  constructor(name) {
    this.name = name;
    this.parentNode = null;
    this.attributes = {};
  }
  getAttribute(name) {
    return name in this.attributes ? this.attributes[name] : null;
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  get tagName() {
    return this.name.toUpperCase();
  }
  get src() {
    return new URL(this.attributes.src, SITE).href;
  }
  set src(value) {
    this.attributes.src = value;
  }
}

const head = {
  appendChild(element) {
    element.parentNode = head;
    if (element.name === "link") hints.push(element.href);
    else waiting.push(element) && elements.push(element);
  },
  removeChild(element) {
    elements.splice(elements.indexOf(element), 1);
  },
};

const document = {
  head,
  readyState: "loading",
  currentScript: null,
  createElement: (name) => new Element(name),
  getElementsByTagName: (name) => elements.filter((element) => element.name === name),
  getElementById: () => head,
};

const context = vm.createContext({
  document,
  note: (...words) => notes.push(words.join(" ")),
  console: { log: (...words) => notes.push(words.join(" ")), error: (word) => errors.push(String(word)) },
  addEventListener: (name, listener) => name === "load" && atLoad.push(listener),
  setTimeout: () => 0,
  clearTimeout: () => undefined,
  location: SITE,
});
vm.runInContext("var self = this, window = this;", context);
process.on("unhandledRejection", (reason) => errors.push(String(reason)));

function run(element) {
  const address = element.src.replace(SITE, "");
  fetched.push(address);
  const text = files[address];
  document.currentScript = element;
  try {
    if (text !== undefined) vm.runInContext(text, context, { filename: address });
  } catch (error) {
    errors.push(`${address}: ${error}`);
  }
  document.currentScript = null;
  const type = text === undefined ? "error" : "load";
  const listener = element[`on${type}`];
  if (listener) listener({ type, target: element });
}

const settled = () => new Promise((done) => setImmediate(done));

async function network() {
  for (await settled(); waiting.length; await settled()) run(waiting.shift());
}

async function page() {
  for (const src of listed) {
    const element = new Element("script");
    element.src = src;
    elements.push(element);
  }
  for (const src of arrivals) {
    run(elements.find((element) => element.getAttribute("src") === src) || Object.assign(new Element("script"), { src }));
    await settled();
  }
  await network();
  document.readyState = "complete";
  for (const listener of atLoad) listener();
  await network();
  for (const src of late || []) {
    const element = new Element("script");
    element.src = src;
    head.appendChild(element);
    await network();
  }
  console.log(JSON.stringify({ notes, fetched, hints, errors }));
}

page();
