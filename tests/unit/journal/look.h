/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: checks whether the records of a folder are whole, all at once and in steps. */
#ifndef SEKISHO_TESTS_JOURNAL_LOOK_H
#define SEKISHO_TESTS_JOURNAL_LOOK_H

#include "appliance/journal/verify.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/folder.h"

/* Returns the result of the check, which has to be the same in steps of any size. */
static inline void look(const struct folder *f, const struct journal_trust *trust, struct journal_report *ret)
{
	struct err e = { 0 };

	assert_int_equal(journal_verify(f->path, trust, ret, &e), 0);
	for (size_t lines = 1; lines <= 3; lines++) {
		struct journal_check *c = journal_check_new(f->fd, trust);
		int r;

		assert_non_null(c);
		while ((r = journal_check_step(c, lines, &e)) > 0)
			;
		assert_int_equal(r, 0);
		assert_memory_equal(journal_check_report(c), ret, sizeof(*ret));
		journal_check_free(c);
	}
}

#endif
