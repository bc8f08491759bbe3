/** What every function of this app has in common. Called before the first one is made. */
export function defaults() {
  $transform(sst.aws.Function, (args) => {
    args.runtime ??= "nodejs24.x";
    args.architecture ??= "arm64";
    args.logging ??= { format: "json", retention: "1 month" };
    args.nodejs ??= { minify: true };
    args.transform ??= {};
    args.transform.role ??= (role) => {
      // SST's role can also be assumed by everything in the account; ours only by Lambda.
      if ($dev) return;
      role.assumeRolePolicy = aws.iam.getPolicyDocumentOutput({
        statements: [
          {
            actions: ["sts:AssumeRole"],
            principals: [{ type: "Service", identifiers: ["lambda.amazonaws.com"] }],
          },
        ],
      }).json;
    };
  });
}
