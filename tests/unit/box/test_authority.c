/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificate file that box.cfg names, before an apply: it can be read by the program that
 * sends the records, or it is refused with the reason in both languages.
 *
 * LINK: appliance/box/companions.c $(BASE_SRC) $(WIRE_SRC)
 * LINK: appliance/base/json.c appliance/base/addr.c appliance/base/memfd.c appliance/base/utf8.c
 * LINK: appliance/base/sha256.c
 * LIBS: jansson nettle
 */
#include "tests/unit/cmocka.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/box/companions.h"
#include "tests/unit/folder.h"

static char path[128];

static const char *in(const struct folder *f, const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	return path;
}

static void put(const struct folder *f, const char *name, const char *text, mode_t mode)
{
	int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void refused(const char *what, const char *en, const char *ja)
{
	struct sentence why = { 0 };

	assert_false(authority_ready(what, &why));
	if (strstr(why.text[LANG_EN], en) == NULL || strstr(why.text[LANG_JA], ja) == NULL)
		fail_msg("%s: %s; %s", what, why.text[LANG_EN], why.text[LANG_JA]);
	/* The text contains nothing of the other language. */
	assert_null(strstr(why.text[LANG_JA], "nothing was changed"));
	assert_null(strstr(why.text[LANG_JA], "symbolic"));
}

static void what_another_user_reads(void **state)
{
	const char *text = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
	const struct folder *f = *state;
	struct sentence why = { 0 };
	char real[PATH_MAX];

	assert_int_equal(chmod(f->path, 0755), 0);
	put(f, "ca.pem", text, 0644);
	assert_true(authority_ready(in(f, "ca.pem"), &why));
	assert_false(sentence_said(&why));
	refused(in(f, "other.pem"), "is not there", "がありません");
	put(f, "closed.pem", text, 0640);
	refused(in(f, "closed.pem"), "not readable for other users", "ほかのユーザーには読めません");
	put(f, "empty.pem", "", 0644);
	refused(in(f, "empty.pem"), "no certificate in it", "PEM 形式の証明書がありません");
	/* A symbolic link, as most files of /etc/ssl/certs are. */
	assert_int_equal(symlinkat("ca.pem", f->fd, "link.pem"), 0);
	assert_non_null(realpath(in(f, "ca.pem"), real));
	refused(in(f, "link.pem"), "is a symbolic link; name the file that it leads to", "シンボリックリンクです");
	refused(in(f, "link.pem"), real, real);
	/* A symbolic link among the folders above is allowed as well. */
	assert_int_equal(mkdirat(f->fd, "sub", 0755), 0);
	put(f, "sub/ca.pem", text, 0644);
	assert_int_equal(symlinkat("sub", f->fd, "way"), 0);
	assert_true(authority_ready(in(f, "way/ca.pem"), &why));
	/* A folder that only its owner may pass, the last one or one further up, on every path. */
	assert_int_equal(fchmodat(f->fd, "sub", 0700, 0), 0);
	refused(in(f, "sub/ca.pem"), "/sub, on the way to the ca", "/sub は、ほかのユーザーは通れません");
	refused(in(f, "way/ca.pem"), "/sub, on the way to the ca", "/sub は、ほかのユーザーは通れません");
	assert_int_equal(fchmodat(f->fd, "sub", 0711, 0), 0);
	assert_true(authority_ready(in(f, "sub/ca.pem"), &why));
	assert_int_equal(chmod(f->path, 0750), 0);
	refused(in(f, "sub/ca.pem"), "is closed to other users", "通れません");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_another_user_reads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
