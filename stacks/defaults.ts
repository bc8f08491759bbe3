/** What every function of this app has in common. Called before the first one is made. */
export function defaults() {
  $transform(sst.aws.Function, (args) => {
    args.runtime ??= "nodejs24.x";
    args.architecture ??= "arm64";
    args.logging ??= { format: "json", retention: "1 month" };
    args.nodejs ??= { minify: true };
  });
}
