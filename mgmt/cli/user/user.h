/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SEKISHO_MGMT_CLI_USER_USER_H
#define SEKISHO_MGMT_CLI_USER_USER_H

#include "mgmt/cli/cli.h"

/*
 * Reads the facts of a TLS client certificate that the register of accounts keeps. Certificates
 * that TLS could not use, or that are too weak, are refused here with the reason, so nothing else
 * has to read certificates.
 */

#define CERTIFICATE_DIGITS 64

struct certificate_facts {
	char digest[CERTIFICATE_DIGITS + 1]; /* SHA-256 of the certificate in DER */
	char public[CERTIFICATE_DIGITS + 1]; /* SHA-256 of its public key (SubjectPublicKeyInfo) */
	unsigned long long until;	     /* seconds since 1970 */
};

/* CLI_YES, or the status for the verb after the reason was printed. */
int certificate_facts(struct cli *c, const char *path, struct certificate_facts *ret);

/*
 * Converts a published list of leaked passphrases to the form that the box takes
 * (appliance/wire/leaked.h). A separate process reads the file. Lines that could not be a
 * passphrase of this box are skipped, so little of a long list remains.
 */

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
