// A stand-in for pages that run classic scripts in the order in which they arrive; for tests of that order only.
//
// Reads a list of {files, listed, arrivals} from stdin: texts by path, the `src` of the page's own scripts, and the
// order in which those arrive. What scripts ask for arrives after them, then comes the load event. Prints for each
// what the scripts noted by `note(…)`, which paths were fetched and hinted at, and what went wrong.
"use strict";
const vm = require("node:vm");
const SITE = "https://site.test/";

class Element {
  constructor(name) {
    this.name = name;
    this.attributes = {};
    this.parentNode = null;
  }
  get tagName() {
    return this.name.toUpperCase();
  }
  getAttribute(name) {
    return name in this.attributes ? this.attributes[name] : null;
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  get src() {
    return new URL(this.attributes.src, SITE).href;
  }
  set src(value) {
    this.attributes.src = value;
  }
}

class Page {
  constructor({ files, listed }) {
    this.files = files;
    this.seen = { notes: [], fetched: [], hints: [], errors: [] };
    this.waiting = [];
    this.listeners = [];
    this.scripts = listed.map((src) => Object.assign(new Element("script"), { src }));
    const head = {
      appendChild: (element) => {
        element.parentNode = head;
        if (element.name === "link") this.seen.hints.push(element.href);
        else this.waiting.push(element) && this.scripts.push(element);
      },
      removeChild: (element) => this.scripts.splice(this.scripts.indexOf(element), 1),
    };
    this.document = {
      head,
      readyState: "loading",
      currentScript: null,
      createElement: (name) => new Element(name),
      getElementsByTagName: () => [...this.scripts],
    };
    this.context = vm.createContext({
      document: this.document,
      note: (word) => this.seen.notes.push(word),
      setTimeout: () => 0, // no load takes too long
      clearTimeout: () => undefined,
      addEventListener: (name, listener) => name === "load" && this.listeners.push(listener),
    });
    vm.runInContext("var self = this, window = this;", this.context);
  }

  run(element) {
    const path = element.src.replace(SITE, "");
    const text = this.files[path];
    this.seen.fetched.push(path);
    this.document.currentScript = element;
    try {
      if (text !== undefined) vm.runInContext(text, this.context, { filename: path });
    } catch (error) {
      this.seen.errors.push(`${path}: ${error}`);
    }
    this.document.currentScript = null;
    const type = text === undefined ? "error" : "load";
    const listener = element[`on${type}`];
    if (listener) listener({ type, target: element });
  }

  async network() {
    for (await settled(); this.waiting.length; await settled()) this.run(this.waiting.shift());
  }

  async open(arrivals) {
    for (const src of arrivals) {
      this.run(this.scripts.find((element) => element.getAttribute("src") === src));
      await settled();
    }
    await this.network();
    this.document.readyState = "complete";
    for (const listener of this.listeners) listener();
    await this.network();
    return this.seen;
  }
}

const settled = () => new Promise((done) => setImmediate(done));

async function main() {
  const results = [];
  let page;
  process.on("unhandledRejection", (reason) => page.seen.errors.push(String(reason)));
  for (const scenario of JSON.parse(require("node:fs").readFileSync(0, "utf8"))) {
    page = new Page(scenario);
    results.push(await page.open(scenario.arrivals));
  }
  console.log(JSON.stringify(results));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
