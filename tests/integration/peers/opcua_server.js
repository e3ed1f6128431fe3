// node opcua_server.js PORT FOLDER FIRST: the filler's nodes on a node-opcua server.
"use strict";
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { MessageSecurityMode, SecurityPolicy } = require("node-opcua-secure-channel");
const { OPCUAServer } = require("node-opcua-server");
const { DataType, Variant } = require("node-opcua-variant");
const { Counter } = require("./counter.js");

async function main(port, folder, first) {
  const good = new Counter(Number(first), 65536);
  const server = new OPCUAServer({
    port: Number(port),
    securityModes: [MessageSecurityMode.None],
    securityPolicies: [SecurityPolicy.None],
    serverCertificateManager: new OPCUACertificateManager({ rootFolder: `${folder}/pki` }),
    userCertificateManager: new OPCUACertificateManager({ rootFolder: `${folder}/pki` }),
  });
  await server.initialize();
  const space = server.engine.addressSpace;
  const owner = space.registerNamespace("urn:backflush:peer");
  const filler = owner.addObject({ organizedBy: space.rootFolder.objects, browseName: "Filler" });
  const node = (name, dataType, value) => owner.addVariable({
    componentOf: filler,
    browseName: name,
    nodeId: `s=Filler.${name}`,
    dataType,
    value: new Variant({ dataType: DataType[dataType], value }),
  });
  node("Reject", "UInt16", 0);
  node("Boot", "UInt32", 1);
  node("Order", "String", "100045");
  const shown = node("Good", "UInt16", good.value);
  good.changed = () => shown.setValueFromSource({ dataType: DataType.UInt16, value: good.value });
  await server.start();
  good.obey();
  console.log("ready");
}

main(...process.argv.slice(2));
