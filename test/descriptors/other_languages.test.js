'use strict';

// Other programs at the other end of a DescriptorPasser: C, Python, Perl, D-Bus.

const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { text } = require('node:stream/consumers');
const net = require('../../lib/net');
const { Descriptor, DescriptorPasser, socketpair } = require('../../lib/descriptors');
const { closing } = require('../helpers/closing');
const { isInstalled, testNeeding } = require('../helpers/needed_programs');
const { socketPath, temporaryFolder } = require('../helpers/socket_path');

const fixture = (name) => path.join(__dirname, '../fixtures', name);

function compiled() {
  const program = path.join(temporaryFolder(), 'fd_peer');
  execFileSync('cc', ['-O1', '-Wall', '-Werror', '-o', program, fixture('descriptors/fd_peer.c')]);
  return [program];
}

const peers = {
  C: { command: compiled, word: 'C was here', needs: ['cc'] },
  Python: {
    command: () => ['python3', fixture('descriptors/fd_peer.py')],
    word: 'Python was here',
    needs: ['python3'],
  },
  Perl: {
    command: () => ['perl', fixture('descriptors/fd_peer.pl')],
    word: 'Perl was here',
    needs: ['perl', 'IO::FDPass'],
  },
};

function start(command, args) {
  const [ours, theirs] = socketpair();
  theirs.isNonBlocking = false; // Which belongs to the socket, not to the process.
  const passer = closing(new DescriptorPasser({ socket: ours }));
  const stdio = ['ignore', 'pipe', 'inherit', theirs.fd];
  const child = closing(spawn(command[0], [...command.slice(1), ...args.map(String)], { stdio }));
  theirs.close();
  return { passer, child, exited: once(child, 'exit') };
}

function filesWith(texts) {
  const folder = temporaryFolder();
  return texts.map((content, i) => {
    const file = path.join(folder, String(i));
    fs.writeFileSync(file, content);
    return file;
  });
}

const writable = (file) => new Descriptor(fs.openSync(file, 'w'));

const contents = (descriptor) => {
  const content = fs.readFileSync(descriptor.fd, 'utf8');
  descriptor.close();
  return content;
};

describe.each(Object.entries(peers))('%s', (_, { command, word, needs }) => {
  testNeeding(...needs)('sends to us', async () => {
    const texts = Array.from({ length: 50 }, (_each, i) => `file ${i}`);
    const { passer, exited } = start(command(), ['send', ...filesWith(texts)]);
    const got = [];
    for await (const descriptor of passer) got.push(contents(descriptor));
    expect(got).toEqual(texts);
    expect(await exited).toEqual([0, null]);
  });

  testNeeding(...needs)('receives from us', async () => {
    const files = filesWith(Array(50).fill(''));
    const { passer, exited } = start(command(), ['receive', 50]);
    await Promise.all(files.map((file) => passer.send(writable(file))));
    expect(await exited).toEqual([0, null]);
    expect(files.map((file) => fs.readFileSync(file, 'utf8'))).toEqual(Array(50).fill(word));
  });
});

test('Python sends three in one message', async () => {
  const [first, ...others] = filesWith(['a', 'b', 'c']);
  const { passer } = start(peers.Python.command(), ['send', `+${first}`, ...others]);
  const got = [];
  for await (const descriptor of passer) got.push(contents(descriptor));
  expect(got).toEqual(['a', 'b', 'c']);
});

test('Python receives batches', async () => {
  const files = filesWith(Array(300).fill(''));
  const { passer, exited } = start(peers.Python.command(), ['receive', 300]);
  const batches = closing(new DescriptorPasser({ socket: passer.detach(), batch: 100 }));
  await Promise.all(files.map((file) => batches.send(writable(file))));
  expect(await exited).toEqual([0, null]);
  expect(new Set(files.map((file) => fs.readFileSync(file, 'utf8')))).toEqual(new Set(['Python was here']));
});

(isInstalled('AnyEvent::FDpasser') ? test : test.skip)(
  'AnyEvent::FDpasser, both ways over a path (where the module is installed: Debian has none)',
  async () => {
    const file = socketPath();
    const server = closing(await DescriptorPasser.listen(file));
    const child = closing(
      spawn('perl', [fixture('descriptors/fdpasser_peer.pl'), file], { stdio: ['ignore', 'pipe', 'inherit'] }),
    );
    const output = text(child.stdout);
    const passer = closing(await DescriptorPasser.accept(server));
    const files = filesWith(['', '', '']);
    for (const each of files) {
      await passer.send(writable(each));
    }
    const pipe = await passer.receive();
    expect(pipe.type).toBe('pipe');
    expect(contents(pipe)).toBe('a pipe of FDpasser');
    expect(files.map((each) => fs.readFileSync(each, 'utf8'))).toEqual(Array(3).fill('FDpasser was here'));
    await passer.end();
    expect(await output).toBe('orderly end\n');
  },
);

testNeeding('dbus-daemon')(
  'a dbus-daemon agrees to UNIX_FD and passes a descriptor from one connection to another',
  async () => {
    const address = await startBus();
    const sender = await connectToBus(address);
    const receiver = await connectToBus(address);
    const arrived = once(receiver.socket, 'descriptors');
    const file = filesWith(['over D-Bus'])[0];
    const fd = closing(fs.openSync(file));
    sender.socket.sendDescriptors([fd], signalWithDescriptor(receiver.name));
    const [[descriptor]] = await arrived;
    expect(contents(descriptor)).toBe('over D-Bus');
  },
);

async function startBus() {
  const file = path.join(temporaryFolder(0o755), 'bus');
  const bus = closing(
    spawn('dbus-daemon', ['--session', '--nofork', '--print-address', `--address=unix:path=${file}`], {
      stdio: ['ignore', 'pipe', 'ignore'], // It warns that it may not raise its limits.
    }),
  );
  await once(bus.stdout, 'data');
  return file;
}

// The handshake of the D-Bus specification, and the Hello that gives a name.
async function connectToBus(file) {
  const socket = closing(net.connect({ path: file, descriptors: true }));
  const uid = Buffer.from(String(process.getuid())).toString('hex');
  socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  expect(String((await once(socket, 'data'))[0])).toMatch(/^OK /);
  socket.write('NEGOTIATE_UNIX_FD\r\n');
  expect(String((await once(socket, 'data'))[0])).toBe('AGREE_UNIX_FD\r\n');
  socket.write('BEGIN\r\n');
  socket.write(
    message({
      type: 1,
      serial: 1,
      fields: [
        [1, 'o', '/org/freedesktop/DBus'],
        [6, 's', 'org.freedesktop.DBus'],
        [2, 's', 'org.freedesktop.DBus'],
        [3, 's', 'Hello'],
      ],
    }),
  );
  let bytes = Buffer.alloc(0);
  for (;;) {
    bytes = Buffer.concat([bytes, (await once(socket, 'data'))[0]]);
    const name = /:\d+\.\d+/.exec(bytes.toString('latin1'));
    if (name !== null) return { socket, name: name[0] };
  }
}

// A directed method call that wants no reply, with one argument of type 'h'.
function signalWithDescriptor(destination) {
  const body = Buffer.alloc(4); // The index of the descriptor: 0.
  const fields = [
    [1, 'o', '/a'],
    [2, 's', 'a.b'],
    [3, 's', 'C'],
    [6, 's', destination],
    [8, 'g', 'h'],
    [9, 'u', 1],
  ];
  return message({ type: 4, flags: 1, serial: 2, fields, body });
}

// A message of the D-Bus wire format, little-endian.
function message({ type, flags = 0, serial, fields, body = Buffer.alloc(0) }) {
  const bytes = [];
  const pad = (to) => {
    while (bytes.length % to !== 0) bytes.push(0);
  };
  const u32 = (value) => bytes.push(value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >> 24) & 255);
  bytes.push(108, type, flags, 1);
  u32(body.length);
  u32(serial);
  const lengthAt = bytes.length;
  u32(0);
  const start = bytes.length;
  for (const [code, signature, value] of fields) {
    pad(8);
    bytes.push(code, 1, signature.charCodeAt(0), 0);
    if (signature === 'g') {
      bytes.push(value.length, ...Buffer.from(value), 0);
      continue;
    }
    pad(4);
    u32(signature === 'u' ? value : value.length);
    if (signature !== 'u') bytes.push(...Buffer.from(value), 0);
  }
  const length = bytes.length - start;
  pad(8);
  bytes.splice(lengthAt, 4, length & 255, (length >> 8) & 255, 0, 0);
  return Buffer.concat([Buffer.from(bytes), body]);
}
