// A server that takes submissions and does nothing with them but parse them: what HTTP alone costs.
import { createServer } from 'node:http';

const server = createServer({ noDelay: true }, (request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const { tasks } = JSON.parse(Buffer.concat(parts).toString('utf8'));
    const body = JSON.stringify({ results: tasks.map((_, place) => ({ id: `bare-${place}`, notes: [] })) });
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': Buffer.byteLength(body),
    });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
