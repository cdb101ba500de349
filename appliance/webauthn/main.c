/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-webauthn: looks at what browsers sent for a security key, one after the other, for the
 * role accounts, which starts it before it shuts itself in. A program of its own because the
 * libraries that this takes are in no process that has a key, a file or a capability; it has a
 * socket, memory and computing. It ends with the role, and the role ends with it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/role/sandbox.h"
#include "appliance/webauthn/proof.h"

#define FD 3 /* the only one that is left to it */

/* Both ends are of one release, which the first word says: what is not of its size or ends nowhere
 * is no question. */
static int serve(void)
{
	static struct webauthn_question q;
	struct webauthn_answer a = { .count = sizeof(q) };

	if (write(FD, &a, sizeof(a)) != (ssize_t)sizeof(a))
		return 1;
	for (;;) {
		ssize_t n = read(FD, &q, sizeof(q));

		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(q))
			return n == 0 ? 0 : 1;
		q.text[WEBAUTHN_TEXT] = 0;
		proof_judge(&q, &a);
		explicit_bzero(&q, sizeof(q));
		if (write(FD, &a, sizeof(a)) != (ssize_t)sizeof(a))
			return 1;
	}
}

int main(int argc, char **argv)
{
	struct err e = { 0 };
	struct stat st;

	(void)argv;
	if (argc != 1 || fstat(FD, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		fprintf(stderr, "sekisho-webauthn is run by sekishod\n");
		return 2;
	}
	/* cut by the kernel; it is executed by its descriptor, which has no name */
	prctl(PR_SET_NAME, "sekisho-webauthn");
	if (!proof_begin())
		err_set(&e, -EIO, "libfido2");
	if (e.code == 0 && sandbox_webauthn(&e) == 0)
		return serve();
	fprintf(stderr, "sekishod accounts: %s\n", e.text);
	return 1;
}
