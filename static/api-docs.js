"use strict";

// "Try it out" acts as the person who is signed in, so it carries the token of their session.
SwaggerUIBundle({
  url: document.body.dataset.schema,
  dom_id: "#description",
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  validatorUrl: null,
  docExpansion: "list",
  requestInterceptor: (request) => {
    if (request.method !== "GET") request.headers["X-CSRFToken"] = document.body.dataset.csrf;
    return request;
  },
});
