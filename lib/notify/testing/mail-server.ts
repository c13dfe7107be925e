import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

/** A mail server on loopback that keeps what it was told. */
export class MailServer implements AsyncDisposable {
  /** Commands, without the text of the mail. */
  readonly commands: string[] = [];
  readonly mails: string[] = [];
  readonly #server = createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  readonly #replyTo: (command: string) => string | undefined;

  private constructor(replyTo: (command: string) => string | undefined) {
    this.#replyTo = replyTo;
  }

  /** @param replyTo replies to a command, where it is not the usual reply. */
  static async open(replyTo: (command: string) => string | undefined = () => undefined): Promise<MailServer> {
    const server = new MailServer(replyTo);
    server.#server.listen(0, "127.0.0.1");
    await once(server.#server, "listening");
    return server;
  }

  /** An ARCHIVER_SMTP for it. */
  address(user = "") {
    return { reveal: () => `smtp://${user}127.0.0.1:${(this.#server.address() as AddressInfo).port}` };
  }

  async [Symbol.asyncDispose]() {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => undefined);
    let pending = "";
    let isMail = false;
    socket.write("220 ready\r\n");
    socket.on("data", (chunk: Buffer) => {
      pending += chunk.toString("utf8");
      for (;;) {
        const end = isMail ? "\r\n.\r\n" : "\r\n";
        const at = pending.indexOf(end);
        if (at === -1) {
          return;
        }
        const text = pending.slice(0, at);
        pending = pending.slice(at + end.length);
        if (isMail) {
          this.mails.push(text);
          isMail = false;
          socket.write(`${this.#replyTo("the mail") ?? "250 taken"}\r\n`);
          continue;
        }
        this.commands.push(text);
        isMail = text === "DATA";
        socket.write(`${this.#replyTo(text) ?? usualReply(text)}\r\n`);
      }
    });
  }
}

function usualReply(command: string): string {
  switch (command.split(" ", 1)[0]) {
    case "EHLO":
      return "250-mail.example\r\n250 AUTH PLAIN";
    case "AUTH":
      return "235 welcome";
    case "DATA":
      return "354 go on";
    case "QUIT":
      return "221 bye";
    default:
      return "250 ok";
  }
}
