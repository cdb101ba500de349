/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the file of a backup, for restore and for its rehearsal. Its bytes are hostile: a process
 * without files decrypts them (shut/apart.h). The private key stays in the memory of this program,
 * which leaves no core file.
 */
#ifndef SEKISHO_MGMT_CLI_BACKUP_OPENING_H
#define SEKISHO_MGMT_CLI_BACKUP_OPENING_H

#include "mgmt/cli/backup/whole.h"
#include "mgmt/cli/cli.h"

/* least digits of the SHA-256 that a person gives: nobody finds another file whose SHA-256 begins
 * with them */
#define DIGITS_LEAST 16u

/* The accounts and keys of a file. */
struct opened_keys {
	bool wanted; /* set by the caller: open them */
	/* set by the caller: the SHA-256 of the file that somebody noted, or its beginning; NULL =
	 * not to be compared */
	const char *noted;
	bool there; /* the file has them */
	unsigned accounts;
	struct whole whole;
	char sha256[65]; /* of the whole file */
};

/* The contents, with at least one generation; a new reference. NULL: the reason was printed, and
 * *ret_status is the status for the verb. `keys->whole` has to be freed in both cases. */
json_t *backup_open(struct cli *c, const char *name, const char *key_name, struct opened_keys *keys, int *ret_status);

#endif
