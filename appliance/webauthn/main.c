/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sekisho-webauthn checks the messages that browsers send about a security key, one after the
 * other, for the role accounts. Accounts starts it before entering its own sandbox. It is a
 * separate program, so that no process with a key, a file or a capability loads its libraries. It
 * has only a socket, memory and computing time. When accounts or this program ends, the other one
 * ends as well.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/role/sandbox.h"
#include "appliance/webauthn/proof.h"

#define FD 3 /* the only descriptor of this process */

/* Answers questions. The first message shows that both ends are of the same release. A question of
 * another size ends this process. */
static int serve_questions(void)
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

	if (argc != 1 || fstat(FD, &st) < 0 || !S_ISSOCK(st.st_mode)) {
		fprintf(stderr, "sekisho-webauthn is run by sekishod\n");
		return 2;
	}
	/* the program was executed by a descriptor, so it has no name; the kernel keeps 15
	 * characters of this one */
	prctl(PR_SET_NAME, "sekisho-webauthn");
	if (!proof_begin())
		err_set(&e, -EIO, "libfido2");
	if (e.code == 0 && sandbox_webauthn(&e) == 0)
		return serve_questions();
	fprintf(stderr, "sekishod accounts: %s\n", e.text);
	return 1;
}
