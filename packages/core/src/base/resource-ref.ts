/** Names one resource of one source. */
export interface ResourceRef {
  source: string;
  resource: string;
}

/** The reference to a planned resource. */
export const refOf = ({ source, name }: { source: string; name: string }): ResourceRef => ({
  source,
  resource: name,
});
