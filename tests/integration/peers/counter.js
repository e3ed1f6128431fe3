// What both servers show: a counter that counts on request. `count N MS` on standard input counts N units, one
// every MS milliseconds (several at once where MS is below 1), and answers `counted VALUE`.
"use strict";
const readline = require("node:readline");

class Counter {
  constructor(value, modulus) {
    this.value = value;
    this.modulus = modulus;
    this.changed = () => {};
  }

  obey() {
    readline.createInterface({ input: process.stdin }).on("line", (line) => {
      const [command, units, pause] = line.split(" ");
      if (command === "count") this.count(Number(units), Number(pause));
    }).on("close", () => process.exit(0));
  }

  count(units, pause) {
    if (units === 0) {
      console.log(`counted ${this.value}`);
      return;
    }
    this.value = (this.value + 1) % this.modulus;
    this.changed();
    setTimeout(() => this.count(units - 1, pause), pause);
  }
}

module.exports = { Counter };
