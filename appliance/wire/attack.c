/* SPDX-License-Identifier: Apache-2.0 */
#include "appliance/wire/attack.h"

#include <stdio.h>
#include <string.h>

struct row {
	const char *word, *text[2], *step[2]; /* English, Japanese */
};

static const struct row rows[ATTACK_CAUSES] = {
#define ATTACK(id, word, threshold, most, en, ja, en_step, ja_step) [id] = { #word, { en, ja }, { en_step, ja_step } },
#include "appliance/wire/attack.def"
};

const struct attack_rule attack_usual = {
	.at_least = {
#define ATTACK(id, word, threshold, ...) [id] = threshold,
#include "appliance/wire/attack.def"
	},
#define ATTACK_SETTING(word, usual, ...) .word = usual,
#include "appliance/wire/attack.def"
};

void attack_rule_fill(struct attack_rule *r)
{
	for (unsigned i = 0; i < ATTACK_CAUSES; i++)
		if (r->at_least[i] == 0)
			r->at_least[i] = attack_usual.at_least[i];
#define ATTACK_SETTING(word, ...)                                                                                      \
	if (r->word == 0)                                                                                              \
		r->word = attack_usual.word;
#include "appliance/wire/attack.def"
}

void attack_rule_text(const struct attack_rule *r, char out[ATTACK_RULE_TEXT])
{
	size_t at = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < ATTACK_CAUSES && at < ATTACK_RULE_TEXT; i++)
		at += (size_t)snprintf(out + at, ATTACK_RULE_TEXT - at, "%s=%u ", rows[i].word, r->at_least[i]);
#define ATTACK_SETTING(word, ...)                                                                                      \
	if (at < ATTACK_RULE_TEXT)                                                                                     \
		at += (size_t)snprintf(out + at, ATTACK_RULE_TEXT - at, "%s=%u ", #word, r->word);
#include "appliance/wire/attack.def"
	at = strlen(out);
	if (at > 0)
		out[at - 1] = '\0';
}

const char *attack_word(unsigned cause)
{
	return cause < ATTACK_CAUSES ? rows[cause].word : "";
}

unsigned attack_by_word(const char *word)
{
	unsigned i = 0;

	while (i < ATTACK_CAUSES && strcmp(rows[i].word, word) != 0)
		i++;
	return i;
}

static unsigned language_column(const char *lang)
{
	return strcmp(lang, "ja") == 0;
}

const char *attack_text(unsigned cause, const char *lang)
{
	return cause < ATTACK_CAUSES ? rows[cause].text[language_column(lang)] : "";
}

const char *attack_step(unsigned cause, const char *lang)
{
	return cause < ATTACK_CAUSES ? rows[cause].step[language_column(lang)] : "";
}

const char *attack_title(unsigned cause, const char *lang)
{
	static const char *const titles[ATTACK_CAUSES][2] = {
		[ATTACK_CONTROL] = { "refused control", "拒否された制御" },
		[ATTACK_PROGRAM] = { "refused programming", "拒否されたプログラム変更" },
		[ATTACK_WRITE] = { "refused writes", "拒否された書き込み" },
		[ATTACK_SCAN] = { "scan", "スキャンの疑い" },
		[ATTACK_TRYING] = { "repeated refusals", "拒否の繰り返し" },
		[ATTACK_FRESH] = { "unusual requests", "これまでにない通信" },
		[ATTACK_LOGIN] = { "login locked", "ログインのロック" },
		[ATTACK_SPOOFED] = { "forged source", "送信元の詐称" },
	};

	return cause < ATTACK_CAUSES ? titles[cause][language_column(lang)] : "";
}

const char *attack_end(unsigned cause, const char *lang)
{
	if (cause == ATTACK_SPOOFED)
		return language_column(lang) ? "詐称されたアドレス" : "under the address of";
	return language_column(lang) ? "宛先" : "to";
}
