import http from 'node:http';
import http2 from 'node:http2';

/** Two servers that answer every call with the same small message: gRPC-Web over HTTP/1.1, gRPC over HTTP/2. Prints their ports. */
const MESSAGE = Buffer.from([0, 0, 0, 0, 4, 10, 2, 104, 105]);
const TRAILERS = Buffer.from('grpc-status: 0\r\n');
const WEB = Buffer.concat([MESSAGE, Buffer.from([0x80, 0, 0, 0, TRAILERS.length]), TRAILERS]);

const web = http.createServer((request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, { 'content-type': 'application/grpc-web+proto', 'content-length': WEB.length });
    response.end(WEB);
  });
});
const native = http2.createServer().on('stream', (stream) => {
  stream.resume().on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(MESSAGE);
  });
});
const listen = (server) =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));
console.log(JSON.stringify({ web: await listen(web), native: await listen(native) }));
process.stdin.resume().on('end', () => process.exit());
