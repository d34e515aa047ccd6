// Checks a log with @sigstore/verify, which this project did not write: the checkpoint's signature, and for each line of JSON on standard input
// ({"index": …, "entry": base64, "hashes": [base64, …]}) that the entry is in the log. Reaches into the package: it has no public function for a log other than its own.
//
//   node verify.mjs CHECKPOINT KEY < PROOFS
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import checkpoints from '@sigstore/verify/dist/tlog/checkpoint.js';
import merkle from '@sigstore/verify/dist/tlog/merkle.js';

const [, , checkpointFile, vkey] = process.argv;
const envelope = readFileSync(checkpointFile, 'utf8');
const [name, id, ...rest] = vkey.split('+');
const key = Buffer.from(rest.join('+'), 'base64');
const log = {
  logID: Buffer.from(id, 'hex'),
  baseURL: name,
  publicKey: createPublicKey({ key: Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key.subarray(1)]), format: 'der', type: 'spki' }),
};

const checkpoint = checkpoints.verifyCheckpoint({ inclusionProof: { checkpoint: { envelope } } }, [log]);
if (checkpoint.origin !== name) {
  throw new Error(`The checkpoint is of ${checkpoint.origin}.`);
}

let count = 0;
for (const line of readFileSync(0, 'utf8').split('\n').filter(Boolean)) {
  const { index, entry, hashes } = JSON.parse(line);
  merkle.verifyMerkleInclusion(
    { canonicalizedBody: Buffer.from(entry, 'base64'), inclusionProof: { logIndex: index, hashes: (hashes ?? []).map((hash) => Buffer.from(hash, 'base64')) } },
    checkpoint,
  );
  count++;
}
console.log(`ok  @sigstore/verify: the log's signature, and ${count} inclusion proofs`);
