import { Dispatcher } from "undici";
import type { World } from "../../packages/core/src/base/world.ts";
import type { Api, Reply, Served } from "./api/api.ts";
import type { Dynamodb, Input } from "./dynamodb.ts";
import { aborted, connectionReset, serverError, throttled, timedOut } from "./dynamodb-errors.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Stage } from "./stage.ts";

/** What workers reach over the network, and who watches it. */
export interface Services {
  api: Api;
  dynamodb: Dynamodb;
  watcher: Watcher;
}

export interface Watcher {
  sends(process: Process, operation: string, input: Input): void;
  /** Around each effect, so that a change of the data has an author. */
  performs<T>(author: Author, effect: () => T): T;
  requests(process: Process, origin: string, path: string): void;
  /** An answer came whole that says what there is, or that there is nothing of the kind. */
  received(process: Process, page: Served, status: number): void;
}

/** Who makes a change, and by what. `late`: it has given up waiting for it. */
export interface Author {
  process: Process;
  input: Input;
  late: boolean;
}

/** A Lambda container: its clients live as long as it does, and serve one process after another. */
export interface Container extends Pick<World, "dynamodb" | "secretsManager" | "http"> {
  process: Process;
}

interface Command {
  input: Input;
  constructor: { name: string };
}

interface SendOptions {
  abortSignal?: AbortSignal;
}

export function openContainer(stage: Stage, services: Services, process: Process): Container {
  const random = stage.random.split(`container of ${process.name}`);
  const container = {
    process,
    dynamodb: {
      send: (command: Command, options: SendOptions = {}) =>
        callDynamodb(container.process, command, options, { stage, services, random }),
      // The same operations as text. No row of the simulation is binary.
      sendBatch: async (operation: string, text: string, abortSignal?: AbortSignal) => {
        const command = { input: JSON.parse(text), constructor: { name: operation } };
        const options = abortSignal ? { abortSignal } : {};
        const deps = { stage, services, random };
        const answer = await callDynamodb(container.process, command, options, deps);
        return JSON.parse(JSON.stringify(answer));
      },
    },
    secretsManager: {
      send: (_: Command) =>
        container.process.call({
          service: "secrets",
          what: "GetSecretValue",
          fate: stage.weather.fateOf("secrets"),
          effect: () => ({ SecretString: JSON.stringify({ api_key: services.api.credential }) }),
          failure: serverError,
        }),
    },
    http: new ApiDispatcher((options, handler) =>
      callApi(container.process, options, handler, { stage, services, random }),
    ),
  };
  // The engine calls `send` in one of its many typed forms.
  return container as unknown as Container;
}

interface Deps {
  stage: Stage;
  services: Services;
  random: Random;
}

function callDynamodb(process: Process, command: Command, options: SendOptions, deps: Deps) {
  const { stage, services, random } = deps;
  const operation = command.constructor.name.replace(/Command$/, "");
  const { input } = command;
  if (options.abortSignal?.aborted) return Promise.reject(aborted());
  services.watcher.sends(process, operation, input);
  const batch = operation === "BatchWriteItem";
  const drawn = stage.weather.fateOf("dynamodb", batch);
  const fate = drawn === "partly" && !batch ? "done" : drawn;
  return process.call({
    service: "dynamodb",
    what: `${operation} ${gist(operation, input)}`,
    fate,
    effect: (late) =>
      services.watcher.performs({ process, input, late }, () =>
        fate === "partly"
          ? partly(input, services.dynamodb, random)
          : services.dynamodb.execute(operation, input),
      ),
    failure: (kind) => {
      if (kind === "timeout") return timedOut();
      if (kind === "lost") return random.chance(0.5) ? connectionReset() : serverError();
      return random.pick([throttled, serverError, connectionReset])();
    },
    signal: options.abortSignal,
    abortion: aborted,
  });
}

/** Some of a batch is done, the rest comes back. */
function partly(input: Input, dynamodb: Dynamodb, random: Random): object {
  const [table, requests] = Object.entries(input.RequestItems)[0] as [string, unknown[]];
  const done = requests.filter(() => random.chance(0.5));
  // When nothing at all could be done, AWS throws instead.
  if (done.length === 0) throw throttled();
  const left = requests.filter((request) => !done.includes(request));
  const answer = dynamodb.execute("BatchWriteItem", { ...input, RequestItems: { [table]: done } });
  return { ...answer, UnprocessedItems: left.length > 0 ? { [table]: left } : {} };
}

/** Of a request, for the trace. */
function gist(operation: string, input: Input): string {
  if (operation !== "BatchWriteItem") {
    const { pk, sk, id } = input.Key ?? input.Item ?? {};
    return [input.TableName, pk?.S ?? id?.S, sk?.S].filter(Boolean).join(" ");
  }
  const [table, requests] = Object.entries(input.RequestItems)[0] as [string, Input[]];
  const items = requests.map(({ PutRequest }) => PutRequest?.Item ?? {});
  return `${table} ${items.map((i) => `${i.uid?.S ?? i.sk?.S}@${i.version?.N ?? ""}`).join(" ")}`;
}

class ApiDispatcher extends Dispatcher {
  readonly #send: (options: Dispatcher.DispatchOptions, handler: Handler) => void;

  constructor(send: (options: Dispatcher.DispatchOptions, handler: Handler) => void) {
    super();
    this.#send = send;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Handler): boolean {
    this.#send(options, handler);
    return true;
  }
}

type Handler = Dispatcher.DispatchHandler;

/** One exchange with the API, byte by byte as undici would report it. */
function callApi(
  process: Process,
  { method, origin, path }: Dispatcher.DispatchOptions,
  handler: Handler,
  { stage, services, random }: Deps,
): void {
  const { time } = stage;
  let over = false;
  const finish = (action: () => void) => {
    if (over) return;
    over = true;
    action();
  };
  handler.onConnect?.((reason) => finish(() => handler.onError?.(reason ?? new Error("aborted"))));
  if (over) return;
  const broken = () => finish(() => handler.onError?.(connectionReset()));

  const play = (reply: Reply) => {
    if (over) return;
    const headers = Object.entries(reply.headers)
      .flat()
      .map((text) => Buffer.from(text));
    handler.onHeaders?.(reply.status, headers, () => {}, "");
    let at = time.now();
    for (const { after, bytes } of reply.parts) {
      at += after;
      time.at(at, () => process.deliver(() => !over && handler.onData?.(bytes)));
    }
    if (reply.end === "silence") return;
    time.at(at, () =>
      process.deliver(() => {
        if (reply.end === "reset") return broken();
        finish(() => {
          if (reply.page) services.watcher.received(process, reply.page, reply.status);
          handler.onComplete?.([]);
        });
      }),
    );
  };

  services.watcher.requests(process, String(origin), path);
  const silent = stage.weather.strikes("silent");
  const slowness = stage.weather.strikes("slow") ? 10_000 : 300;
  process
    .call<Reply>({
      service: "http",
      // Without the query's credential.
      what: `${method} ${path.replace(/api_key=[^&]*&?/, "")}`,
      fate: stage.weather.fateOf("http"),
      effect: () => services.api.answer(path),
      failure: connectionReset,
    })
    .then(async (reply) => {
      if (silent) return;
      time.after(random.between(20, slowness), () => process.deliver(() => play(reply)));
    }, broken);
}
