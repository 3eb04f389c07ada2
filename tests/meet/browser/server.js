// Serves the page of a stock client on 127.0.0.1: nothing comes from elsewhere.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { once } from "node:events";

const FILES = {
    "/": ["page.html", "text/html"],
    "/page.js": ["page.js", "text/javascript"],
    "/livekit-client.umd.js": ["node_modules/livekit-client/dist/livekit-client.umd.js", "text/javascript"],
};

export async function servePage() {
    const server = createServer(async (request, response) => {
        const [file, type] = FILES[new URL(request.url, "http://page").pathname] ?? [];
        if (!file) return response.writeHead(404).end();
        response.writeHead(200, { "content-type": `${type}; charset=utf-8` }).end(await readFile(new URL(file, import.meta.url)));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}
