/* SPDX-License-Identifier: Apache-2.0 */
/* What goes into a folder of evidence, each from where it lies. */
#ifndef SEKISHO_MGMT_CLI_PRESERVE_TAKE_H
#define SEKISHO_MGMT_CLI_PRESERVE_TAKE_H

#include "mgmt/cli/preserve/bundle.h"

/* The machine under the box: its clocks, its start, its kernel and versions. */
void take_machine(struct bundle *b);
/*
 * The record folder, the newest first, up to the moment `until_ns` of the monotonic clock; where it is damaged what there is of it. Nothing of it is read as records:
 * that is for whoever looks at the copy.
 */
void take_records(struct bundle *b, const char *folder, uint64_t until_ns);
/* The same for whoever is no root: what the box hands him, by what his account may. */
void take_handed_records(struct bundle *b, struct cli *c, uint64_t until_ns);
/* ... and of the policies their texts; the sealed files are named as missing. */
void take_handed_policies(struct bundle *b, struct cli *c, uint64_t until_ns);
/* The policies that are kept, sealed as they lie beside the records. */
void take_generations(struct bundle *b, const char *records, uint64_t until_ns);

#endif
