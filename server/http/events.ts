/** The WebSocket of the event stream: what a client asks for, and the hub behind it. */
import type { EngineService } from '../engine/service.ts';
import { eventsQuerySchema } from '../protocol/queries.ts';
import type { Hub, Peer, Subscription } from './hub.ts';
import { parseQuery } from './query.ts';
import { eventsRoute } from './routes/index.ts';
import type { Connection, Endpoint } from './sockets.ts';

export function eventsEndpoint(engine: EngineService, hub: Hub): Endpoint {
  return {
    route: eventsRoute,
    async accept(_id, parameters) {
      const subscription = await readSubscription(engine, parameters);
      return (connection) => {
        connection.client.on('message', () =>
          connection.client.close(1008, 'clients have nothing to say here'),
        );
        return hub.attach(peer(connection), subscription);
      };
    },
  };
}

async function readSubscription(engine: EngineService, parameters: URLSearchParams): Promise<Subscription> {
  const { after, below, top } = parseQuery(eventsQuerySchema, parameters);
  return {
    after: after === undefined || after === 0 ? null : after,
    below: below === undefined ? null : (await engine.find(below)).id,
    top,
  };
}

/** The hub's view of a WebSocket. */
function peer({ client, beat, end }: Connection): Peer {
  return {
    send(message, sent) {
      client.send(message, (error) => {
        if (error) return;
        beat();
        // A large picture must not keep everybody else waiting while the network takes all at once.
        setImmediate(sent);
      });
    },
    drop: (farewell) => end(1013, 'reads too slowly', farewell),
  };
}
