// Encodes images by sharp as people call it: reads a request in JSON from each line of stdin, answers on stdout.
//
// {file, format, options, output} is answered by {seconds}: of CPU, of all threads of this process. An image that
// sharp cannot encode so is answered by {error}.
"use strict";
const { createInterface } = require("node:readline");
const sharp = require("sharp");

const used = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

async function main() {
  for await (const line of createInterface({ input: process.stdin })) {
    const { file, format, options, output } = JSON.parse(line);
    const start = used();
    let answer;
    try {
      // rotate() turns a photograph upright by its EXIF data.
      await sharp(file, { animated: format === "webp" }).rotate()[format](options).toFile(output);
      answer = { seconds: used() - start };
    } catch (error) {
      answer = { error: String(error) };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}

main();
