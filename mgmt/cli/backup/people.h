/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a restore that is about accounts and keys. The files are hostile until somebody has
 * compared their SHA-256: whoever can encrypt to the certificate can make accounts of his own.
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_PEOPLE_H
#define SEKISHO_MGMT_CLI_BACKUP_PEOPLE_H

#include "mgmt/cli/backup/opening.h"
#include "mgmt/cli/cli.h"

struct people {
	const struct opened_keys *keys;
	const char *state; /* the box's folder */
	const char *made;  /* when the backup was made */
	bool replace;	   /* replace even a register that is in use */
	bool dry_run;
	json_t *lists; /* owned: who would come, change, go */
};

/* Asks the box what would change, and prints it. False: the reason was printed; nothing changed. */
bool people_try(struct cli *c, struct people *p, int *ret_status);
/* Writes credentials that this box lacks, before a policy names them. */
bool people_settings(struct cli *c, const struct people *p, int *ret_status);
/* Puts accounts and keys in place, after the policy. *ret_status: CLI_YES, or the verb's status. A
 * new reference. */
json_t *people_take(struct cli *c, const struct people *p, int *ret_status);
void people_tell(struct cli *c, const struct people *p, const json_t *taken);

#endif
