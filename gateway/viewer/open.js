/** The gateway's description in; what it says, and forms to try it with, out. */
SwaggerUIBundle({
  url: "../openapi.json",
  dom_id: "#viewer",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  // Nothing is sent to swagger.io.
  validatorUrl: null,
});
