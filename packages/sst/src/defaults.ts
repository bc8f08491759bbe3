/** Sets what every function of the app has in common. Called before any function is created. */
export function setFunctionDefaults() {
  $transform(sst.aws.Function, (args) => {
    args.runtime ??= "nodejs24.x";
    args.architecture ??= "arm64";
    args.logging ??= { format: "json", retention: "1 month" };
    args.nodejs ??= { minify: true };
  });
}
