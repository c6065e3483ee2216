// The document as data: every node in order, what a reader sees, and whether the page says that it works.
() => {
  const nodes = [];
  const digest = (text) => {
    let sum = 7;
    for (let place = 0; place < text.length; place++) sum = (sum * 31 + text.charCodeAt(place)) >>> 0;
    return `${text.length} ${sum.toString(16)}`;
  };
  const attributes = (element) => {
    const found = {};
    for (const { name, value } of element.attributes) found[name] = value;
    // A minified style attribute means the same: compare what the browser read.
    if (found.style !== undefined) found.style = element.style.cssText;
    // Pictures that did not load, or are other ones, show in their own size.
    if (element.localName === "img") found["(size)"] = `${element.naturalWidth}x${element.naturalHeight}`;
    // Of a frame a few pixels matter, which the picture of a whole page may lose.
    if (element.localName === "canvas") found["(pixels)"] = digest(element.toDataURL());
    // Also true of a script that a script has inserted.
    if (element.localName === "script" && element.src && element.async) found["(async)"] = "true";
    return found;
  };
  // What the images pass puts around a picture, and the formats that it offers there: nobody sees them.
  const isAround = (node) => node.localName === "picture" && node.style.display === "contents";
  const isOffer = (node) =>
    node.localName === "source" && node.hidden && ["image/avif", "image/webp"].includes(node.type);
  const walk = (parent, depth, place) => {
    for (const node of parent.childNodes) {
      if (node.nodeType === Node.ELEMENT_NODE) {
        if (isOffer(node)) continue;
        if (isAround(node)) {
          walk(node, depth, place);
          continue;
        }
        nodes.push([depth, node.localName, attributes(node), place]);
        // Scripts and styles may be minified; what they do is seen in everything else.
        if (node.localName === "script" || node.localName === "style") continue;
        if (node.localName === "template") walk(node.content, depth + 1, place);
        if (node.shadowRoot) {
          nodes.push([depth + 1, "#shadow-root", {}, ""]);
          walk(node.shadowRoot, depth + 2, place);
        }
        if (node.localName === "iframe" && node.contentDocument) {
          walk(node.contentDocument, depth + 1, node.contentDocument.baseURI);
        }
        walk(node, depth + 1, place);
      } else if (node.nodeType === Node.DOCUMENT_TYPE_NODE) {
        nodes.push([depth, "#doctype", {}, node.name + node.publicId + node.systemId]);
      } else {
        const inert = parent.localName === "noscript" ? "#noscript" : node.nodeName;
        nodes.push([depth, inert, {}, node.data]);
      }
    }
  };
  walk(document, 0, document.baseURI);
  return {
    nodes,
    base: document.baseURI,
    address: location.href,
    text: document.body ? document.body.innerText : "",
    ready: document.documentElement.getAttribute("data-ready"),
  };
}
