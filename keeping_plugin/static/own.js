// Which addresses and pages are the plugin's: nothing else is fetched or followed.

const prefix = new URL("../", import.meta.url); // static/ stands below where the host mounted us

// The address as a URL when it is one of the plugin's, else null; never read against a <base>.
export function own(address) {
  let url;
  try {
    url = new URL(address, location.href);
  } catch {
    return null;
  }
  const here = prefix.origin === location.origin && url.origin === location.origin && url.protocol === location.protocol;
  // What a proxy might decode and shorten leads elsewhere.
  const devious = /%2e|%2f|%5c/i.test(url.pathname);
  return here && !devious && url.pathname.startsWith(prefix.pathname) ? url : null;
}

// Whether this whole page is the plugin's, and not a host's with a panel or a tile in it.
export function isOwnPage() {
  const page = own(location.href);
  return page !== null && /^(?:settings|conversations|oauth)(?:\/|$)/.test(page.pathname.slice(prefix.pathname.length));
}
