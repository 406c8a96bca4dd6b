// What the declarations of pipewright/systemd and of pipewright itself accept.

import * as http from 'node:http';
import { expectError, expectType } from 'tsd';

import * as pipewright from '../../types';
import { AddressInfo, Server, Socket } from '../../types/net';
import { ListenDescriptor, listenDescriptors, notify } from '../../types/systemd';

expectType<ListenDescriptor[]>(listenDescriptors());
for (const descriptor of listenDescriptors()) {
  expectType<string>(descriptor.name);
  expectType<AddressInfo | string | null>(descriptor.address());
  expectType<Server>(descriptor.toServer({ pauseOnConnect: true }, (socket) => expectType<Socket>(socket)));
  expectType<Server>(descriptor.toServer((socket) => socket.end()));
  expectType<Socket>(descriptor.toSocket({ allowHalfOpen: true }));
  expectError(descriptor.toSocket({ fd: 3 }));
  http.createServer().listen(descriptor);
  pipewright.createServer().listen(descriptor);
}

expectType<Server>(pipewright.createServer());
expectType<Socket>(pipewright.connect('/run/x.sock'));
expectType<Socket>(pipewright.net.connect('/run/x.sock'));
expectType<ListenDescriptor[]>(pipewright.systemd.listenDescriptors());
expectType<typeof pipewright.child_process.spawn>(pipewright.spawn);
expectType<typeof pipewright.signals.watchSignal>(pipewright.watchSignal);
expectType<Promise<boolean>>(notify({ READY: true, STATUS: 'serving' }));
expectType<Promise<boolean>>(notify('READY=1', { descriptors: [3] }));
expectError(notify(5));
