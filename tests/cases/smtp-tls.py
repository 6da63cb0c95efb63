#!/usr/bin/env python3
"""A mail server with TLS on loopback, for stories: smtp-tls.py smtps|starttls|none FOLDER CERTIFICATE KEY. Writes FOLDER/port once it
listens, and each mail as FOLDER/N.body. `none` offers no STARTTLS."""
import os
import socket
import ssl
import sys
import threading

kind, folder, certificate, key = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
lock = threading.Lock()


def write_file(name, data):
    with open(f"{folder}/{name}.new", "wb") as f:
        f.write(data)
    os.rename(f"{folder}/{name}.new", f"{folder}/{name}")


def keep(data):
    with lock:
        n = 1
        while os.path.exists(f"{folder}/{n}.body"):
            n += 1
        write_file(f"{n}.body", data)


def talk(sock, secure):
    f = sock.makefile("rwb", buffering=0)
    say = lambda text: f.write(text.encode() + b"\r\n")
    if not (kind == "starttls" and secure):
        say("220 story ESMTP")
    data = None
    while True:
        line = f.readline()
        if not line:
            return
        if data is not None:
            if line == b".\r\n":
                keep(data)
                data = None
                say("250 taken")
            else:
                data += line
            continue
        word = line.split()[0].upper() if line.split() else b""
        if word == b"EHLO":
            say("250-story")
            say("250-STARTTLS" if kind == "starttls" and not secure else "250-8BITMIME")
            say("250 AUTH PLAIN" if secure or kind == "none" else "250 SIZE")
        elif word == b"STARTTLS":
            say("220 go on")
            talk(context.wrap_socket(sock, server_side=True), True)
            return
        elif word == b"AUTH":
            if len(line.split()) == 2:
                say("334 ")
                f.readline()
            say("235 welcome")
        elif word == b"DATA":
            data = b""
            say("354 go on")
        elif word == b"QUIT":
            say("221 bye")
            return
        else:
            say("250 ok")


def serve(sock):
    try:
        talk(context.wrap_socket(sock, server_side=True) if kind == "smtps" else sock, kind == "smtps")
    except (OSError, ssl.SSLError):
        pass
    finally:
        sock.close()


server = socket.create_server(("127.0.0.1", 0))
write_file("port", str(server.getsockname()[1]).encode())
while True:
    client, _ = server.accept()
    threading.Thread(target=serve, args=(client,), daemon=True).start()
