/** The document of a panel: the page's bundle, and nothing from anywhere else. */

export interface PageSources {
  /** What a panel may load files from, as a source of its content security policy. */
  readonly origin: string;
  readonly script: string;
  readonly style: string;
  readonly worker: string;
  /** Tag of the person's language, and the texts in it by the English ones. */
  readonly language: string;
  readonly texts: unknown;
}

/** The hash of no text: the controls' library makes empty style elements and fills them by script. */
const emptyStyle = "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='";

export function pageHtml({ origin, script, style, worker, language, texts }: PageSources): string {
  const policy = [
    "default-src 'none'",
    `script-src ${origin}`,
    `style-src ${origin} ${emptyStyle}`,
    // A worker cannot be loaded from where a panel's files are: its script is fetched and made a blob.
    'worker-src blob:',
    `connect-src ${origin}`,
  ].join('; ');
  return `<!doctype html>
<html lang="${attribute(language)}">
  <head>
    <meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${attribute(policy)}" />
    <title>vbatch</title>
    <link rel="stylesheet" href="${attribute(style)}" />
    <script src="${attribute(script)}" defer></script>
  </head>
  <body data-worker="${attribute(worker)}" data-texts="${attribute(JSON.stringify(texts))}"></body>
</html>
`;
}

function attribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
