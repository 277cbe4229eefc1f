// An upstream in a separate process.

import http from "node:http";

const server = http.createServer((request, answer) => {
  request.resume();
  answer.end("upstream");
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
