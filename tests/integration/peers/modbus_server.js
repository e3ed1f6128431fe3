// node modbus_server.js PORT FIRST: the capper's registers on a modbus-serial server.
"use strict";
const { ServerTCP } = require("modbus-serial");
const { Counter } = require("./counter.js");

const [port, first] = process.argv.slice(2);
const capped = new Counter(Number(first), 2 ** 32);
const registers = () => [capped.value % 65536, Math.floor(capped.value / 65536), 1]; // low word first, then boot

const server = new ServerTCP(
  {
    getMultipleHoldingRegisters: (address, length) => registers().slice(address, address + length),
    getHoldingRegister: (address) => registers()[address],
  },
  { host: "127.0.0.1", port: Number(port), unitID: 1 },
);
server.on("initialized", () => {
  capped.obey();
  console.log("ready");
});
