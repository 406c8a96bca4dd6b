#!/usr/bin/env python3
"""Speaks the frames of pipewright/channel, in JSON and with descriptors: docs/channel.md.

    channel_peer.py PATH    connects to a server of Channel.listen()
    channel_peer.py         speaks over descriptor 3, one end of a socketpair()

Sends a message, answers each request with what it got and a pipe that holds the bytes of
the request's descriptors, and ends when the other side closes the channel.
"""
import json, os, socket, struct, sys

MESSAGE, REQUEST, REPLY, ERROR, CLOSE = 1, 2, 3, 4, 5
JSON = 1

def send(sock, kind, message=None, id=None, fds=()):
    payload = b"" if kind == CLOSE else json.dumps(message).encode()
    body = (b"" if id is None else struct.pack("<I", id)) + payload
    frame = struct.pack("<IBBBB", len(body), kind, JSON if payload else 0, len(fds), 0) + body
    sock.sendall(frame[:-1])
    socket.send_fds(sock, [frame[-1:]], fds)  # Descriptors ride on the last byte.

def receive(sock, size, fds):
    data = b""
    while len(data) < size:
        chunk, came, _, _ = socket.recv_fds(sock, size - len(data), 32)
        fds.extend(came)
        if not chunk:
            raise EOFError("the peer has ended without closing the channel")
        data += chunk
    return data

def frames(sock):
    while True:
        fds = []
        length, kind, _, count, _ = struct.unpack("<IBBBB", receive(sock, 8, fds))
        body = receive(sock, length, fds)
        assert len(fds) == count, "a frame without its descriptors"
        if kind == CLOSE:
            return
        id = struct.unpack_from("<I", body)[0] if kind in (REQUEST, REPLY, ERROR) else None
        payload = body if id is None else body[4:]
        yield kind, id, json.loads(payload) if payload else None, fds


sock = socket.socket(socket.AF_UNIX) if len(sys.argv) > 1 else socket.socket(fileno=3)
sock.setblocking(True)  # An end of a pair may come non-blocking.
if len(sys.argv) > 1:
    sock.connect(sys.argv[1])
send(sock, MESSAGE, {"hello": "from Python"}, fds=[0])
for kind, id, message, fds in frames(sock):
    contents = b"".join(os.read(fd, 1000) for fd in fds)
    for fd in fds:
        os.close(fd)
    if kind == REQUEST:
        reader, writer = os.pipe()
        os.write(writer, contents)
        send(sock, REPLY, {"got": message}, id, [reader])
        os.close(reader), os.close(writer)
