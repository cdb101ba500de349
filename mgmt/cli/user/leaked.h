/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Converts a published list of leaked passphrases to the form that the box takes
 * (appliance/wire/leaked.h). A separate process reads the file. Lines that could not be a
 * passphrase of this box are skipped, so little of a long list remains.
 */
#ifndef SEKISHO_MGMT_CLI_USER_LEAKED_H
#define SEKISHO_MGMT_CLI_USER_LEAKED_H

#include "mgmt/cli/cli.h"

struct leaked_lines {
	unsigned long long taken, passed_over;
	/* skipped lines that are hashes, but not a complete SHA-1 */
	unsigned long long other_hashes;
};

/* CLI_YES and a sealed memfd, which the caller closes; or the status for the verb after the reason
 * was printed. */
int leaked_file(struct cli *c, const char *path, int *ret_fd, struct leaked_lines *ret);
/* Converts a text in memory to the contents of the memfd, malloc'd; NULL: memory is out. *ret_n 0:
 * there are no passphrases in it, or too many. Pure. */
uint8_t *leaked_list(const char *text, size_t n, size_t *ret_n, bool *ret_too_many, struct leaked_lines *ret);

#endif
