/* SPDX-License-Identifier: Apache-2.0 */
/* What came of devices that went back to the first namespace, for people: of release, rollback, and what ends with it. */
#ifndef SEKISHO_MGMT_CLI_WORDS_GIVEN_BACK_H
#define SEKISHO_MGMT_CLI_WORDS_GIVEN_BACK_H

#include "mgmt/cli/cli.h"

/* `reports`: "given_back" of an answer (docs/json.md), or NULL. */
void given_back_print(struct cli *c, const json_t *reports);

#endif
