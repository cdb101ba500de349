/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules as canonical text. The same code writes expected rules and rules that were read back, so
 * rules with equal text are equal. The wording of expressions is that of libnftnl. For xtables
 * targets the text is made here, because libnftnl leaves out their bytes.
 */
#include <errno.h>
#include <stdio.h> /* libnftnl's headers need it */

#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <string.h>

#include "appliance/kernel/rule.h"

static size_t target_text(const struct nftnl_expr *x, char *out, size_t size)
{
	uint32_t len = 0;
	const uint8_t *info = nftnl_expr_get(x, NFTNL_EXPR_TG_INFO, &len);
	size_t at;
	int n = snprintf(out, size, "name %s rev %u info ", nftnl_expr_get_str(x, NFTNL_EXPR_TG_NAME),
			 nftnl_expr_get_u32(x, NFTNL_EXPR_TG_REV));

	if (n < 0)
		return size;
	at = (size_t)n;
	for (uint32_t i = 0; i < len && at + 3 < size; i++, at += 2)
		snprintf(out + at, size - at, "%02x", info[i]);
	return at;
}

/* Removes the time of 0 that the kernel reports for an element without an end, because an expected
 * rule has no time there. */
static size_t dynset_text(char *out, size_t n)
{
	static const char none[] = " timeout 0ms";
	char *at = strstr(out, none);

	if (at == NULL)
		return n;
	memmove(at, at + sizeof(none) - 1, strlen(at + sizeof(none) - 1) + 1);
	return n - (sizeof(none) - 1);
}

bool rule_text(const struct nftnl_rule *r, char *out, size_t size)
{
	/* libnftnl's iterator only reads, but takes a pointer that is not const. */
	union {
		const struct nftnl_rule *c;
		struct nftnl_rule *m;
	} cast = { .c = r };
	struct nftnl_expr_iter *it = nftnl_expr_iter_create(cast.m);
	struct nftnl_expr *x;
	size_t at = 0;
	bool ok = it != NULL;

	if (size == 0)
		ok = false;
	else
		out[0] = '\0';
	while (ok && (x = nftnl_expr_iter_next(it)) != NULL) {
		const char *name = nftnl_expr_get_str(x, NFTNL_EXPR_NAME);
		int n = snprintf(out + at, size - at, "%s[ %s ", at > 0 ? " " : "", name);

		if (n < 0 || (size_t)n >= size - at) {
			ok = false;
			break;
		}
		at += (size_t)n;
		if (strcmp(name, "target") == 0)
			at += target_text(x, out + at, size - at);
		else if ((n = nftnl_expr_snprintf(out + at, size - at, x, NFTNL_OUTPUT_DEFAULT, 0)) < 0)
			ok = false;
		else
			at += strcmp(name, "dynset") == 0 && (size_t)n < size - at ? dynset_text(out + at, (size_t)n)
										   : (size_t)n;
		if (!ok || at + 2 >= size) {
			ok = false;
			break;
		}
		while (at > 0 && out[at - 1] == ' ')
			at--;
		memcpy(out + at, " ]", 3);
		at += 2;
	}
	if (it != NULL)
		nftnl_expr_iter_destroy(it);
	return ok;
}

int netlink_rule_texts(struct image *i, const struct expectation *x, unsigned lacks, struct err *e)
{
	char text[RULE_TEXT];

	for (uint32_t c = 0; c < CHAIN_COUNT; c++) {
		for (size_t n = 0; n < x->n_rules; n++) {
			struct nftnl_rule *rules[RULE_FAN];
			int made, r = 0;

			if (x->rules[n].chain != c)
				continue;
			made = rule_build(&x->rules[n], lacks, rules);
			if (made < 0)
				return err_set(e, made, "rule %zu, line %u", n, x->rules[n].line);
			for (int k = 0; k < made; k++) {
				if (!rule_text(rules[k], text, sizeof(text)))
					r = -EMSGSIZE;
				else if (!image_add_rule(i, c, x->rules[n].line,
							 arena_strndup(i->arena, text, strlen(text))))
					r = -ENOMEM;
				nftnl_rule_free(rules[k]);
			}
			if (r != 0)
				return err_set(e, r, "text of rule %zu", n);
		}
	}
	return 0;
}
