// Every WGSL text that a browser may be given through Tint, the compiler of Chromium: `webgpu` of npm carries it, and its
// null backend needs no GPU. A device of WebGPU's default limits and no features but `subgroups`, for texts that ask.
//
//   node tint.mjs FOLDER_OF_WEBGPU LIST
//
// LIST has a line for each pipeline: name, file, entry point, constants (`A=1,B=2`), tabs between.
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, list] = process.argv.slice(2);
const { create, globals } = await import(pathToFileURL(path.join(folder, 'index.js')));
Object.assign(globalThis, globals);
const gpu = create(['backend=null']);
const open = async (requiredFeatures) => (await gpu.requestAdapter()).requestDevice({ requiredFeatures });
const plain = await open([]);
const subgroups = await open(['subgroups']);
const most = { storage: 8, bytes: 16384, invocations: 256, binding: 128 * 1024 * 1024 };
const has = plain.limits;
if (has.maxStorageBuffersPerShaderStage !== most.storage || has.maxComputeWorkgroupStorageSize !== most.bytes ||
    has.maxComputeInvocationsPerWorkgroup !== most.invocations || has.maxStorageBufferBindingSize !== most.binding) {
  throw new Error('these are not the default limits of WebGPU');
}

const modules = new Map();
async function module(file) {
  if (modules.has(file)) return modules.get(file);
  const code = fs.readFileSync(file, 'utf8');
  const device = /^enable subgroups;/m.test(code) ? subgroups : plain;
  device.pushErrorScope('validation');
  const made = device.createShaderModule({ code });
  const { messages } = await made.getCompilationInfo();
  await device.popErrorScope();
  const error = messages.find((message) => message.type === 'error');
  const line = error && code.split('\n')[error.lineNum - 1]?.trim();
  const found = { made, device, refused: error && `${error.message.split('\n')[0]}\n    ${line}` };
  modules.set(file, found);
  return found;
}

let refused = 0, pipelines = 0;
const said = new Set();
const complain = (name, text) => {
  refused++;
  if (!said.has(text)) console.log(`${name}: ${text}`);
  said.add(text);
};
for (const line of fs.readFileSync(list, 'utf8').replace(/\n$/, '').split('\n')) {
  const [name, file, entryPoint, set] = line.split('\t');
  pipelines++;
  const { made, device, refused: why } = await module(file);
  if (why) { complain(name, why); continue; }
  const constants = Object.fromEntries(set.split(',').filter(Boolean).map((pair) => {
    const [key, value] = pair.split('=');
    return [key, Number(value)];
  }));
  device.pushErrorScope('validation');
  device.createComputePipeline({ layout: 'auto', compute: { module: made, entryPoint, constants } });
  const error = await device.popErrorScope();
  if (error) complain(name, error.message.split('\n')[0]);
}
console.log(`Tint: ${modules.size} texts, ${pipelines} pipelines, ${refused} refused`);
process.exit(refused ? 1 : 0);
