# Gets a file, a listening socket and a connection over descriptor 3, uses each, and
# passes back a pipe. For the chapter descriptors.js of the tour.
import os
import socket

peer = socket.socket(fileno=3)
peer.setblocking(True)


def receive():
    _, fds, _, _ = socket.recv_fds(peer, 1, 1)
    return fds[0]


file = receive()
os.write(file, b"written by Python")
os.close(file)

with socket.socket(fileno=receive()) as listener:
    listener.setblocking(True)
    client, _ = listener.accept()
    client.sendall(b"accepted by Python")
    client.close()

with socket.socket(fileno=receive()) as connection:
    connection.sendall(b"spoken by Python")

reader, writer = os.pipe()
os.write(writer, b"a pipe of Python")
os.close(writer)
socket.send_fds(peer, [b"\0"], [reader])
