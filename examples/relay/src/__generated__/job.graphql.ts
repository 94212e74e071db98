/**
 * @generated SignedSource<<7f97c53365d525ebf0c5ca01f8f40ee1>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import { ReaderFragment } from 'relay-runtime';
export type EditStatus = "CANCELED" | "FAILED" | "OUTCOME_UNKNOWN" | "QUEUED" | "RUNNING" | "SUCCEEDED" | "%future added value";
import { FragmentRefs } from "relay-runtime";
export type job$data = {
  readonly error: {
    readonly message: string;
  } | null | undefined;
  readonly id: string;
  readonly outputImages: ReadonlyArray<{
    readonly id: string;
    readonly thumbnailUrl: string;
    readonly url: string;
  }>;
  readonly partialImages: ReadonlyArray<{
    readonly id: string;
    readonly url: string;
  }>;
  readonly prompt: {
    readonly text: string;
  };
  readonly status: EditStatus;
  readonly " $fragmentType": "job";
};
export type job$key = {
  readonly " $data"?: job$data;
  readonly " $fragmentSpreads": FragmentRefs<"job">;
};

const node: ReaderFragment = (function(){
var v0 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "id",
  "storageKey": null
},
v1 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "url",
  "storageKey": null
};
return {
  "argumentDefinitions": [],
  "kind": "Fragment",
  "metadata": null,
  "name": "job",
  "selections": [
    (v0/*:: as any*/),
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "status",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "concreteType": "Prompt",
      "kind": "LinkedField",
      "name": "prompt",
      "plural": false,
      "selections": [
        {
          "alias": null,
          "args": null,
          "kind": "ScalarField",
          "name": "text",
          "storageKey": null
        }
      ],
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "concreteType": "Image",
      "kind": "LinkedField",
      "name": "partialImages",
      "plural": true,
      "selections": [
        (v0/*:: as any*/),
        (v1/*:: as any*/)
      ],
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "concreteType": "Image",
      "kind": "LinkedField",
      "name": "outputImages",
      "plural": true,
      "selections": [
        (v0/*:: as any*/),
        (v1/*:: as any*/),
        {
          "alias": null,
          "args": null,
          "kind": "ScalarField",
          "name": "thumbnailUrl",
          "storageKey": null
        }
      ],
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "concreteType": "EditError",
      "kind": "LinkedField",
      "name": "error",
      "plural": false,
      "selections": [
        {
          "alias": null,
          "args": null,
          "kind": "ScalarField",
          "name": "message",
          "storageKey": null
        }
      ],
      "storageKey": null
    }
  ],
  "type": "EditJob",
  "abstractKey": null
};
})();

(node as any).hash = "d0ee2c5d3b923b97c38241b90862bd3c";

export default node;
