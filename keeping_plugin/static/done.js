// The last page of the login window: it tells the page that opened it, with no data but the number
// that page had chosen, and closes itself. The channel reaches this origin only, and works when
// Salesforce's pages have cut the window off from its opener.
const { window: number } = document.getElementById("k-done").dataset;

if (number) {
  const channel = new BroadcastChannel("keeping-login");
  channel.postMessage({ window: number });
  channel.close();
  // Only a window that a script opened obeys; any other stays, with its link.
  window.close();
}
