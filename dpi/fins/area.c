/* SPDX-License-Identifier: Apache-2.0 */
#include "dpi/fins/fins.h"

#include "appliance/wire/operation.h"
#include "dpi/fins/words.h"

/* The numbering of the words of an area. */
enum form {
	PLAIN,	/* one space; in an area of bits, the third byte of an address is the bit */
	OLD,	/* codes of CV mode and of the C series: one numbering for several areas */
	COUNTS, /* timers, and from 8000h on counters (in CV mode from 0800h on) */
	BANK,	/* expansion DM */
	NONE,	/* policies have no key for the area */
};

struct area {
	uint8_t first, last; /* codes */
	uint8_t kind, form, space;
	/* BANK: number of the bank that the first code means. COUNTS: high byte of the address of
	 * the first counter */
	uint8_t bank;
};

static const struct area areas[] = {
	{ 0x00, 0x00, FINS_KIND_BIT, OLD, 0, 0 },
	{ 0x01, 0x01, FINS_KIND_BIT, COUNTS, FINS_TIM_FLAGS, 0x08 },
	{ 0x02, 0x02, FINS_KIND_BIT, PLAIN, FINS_D, 0 },
	{ 0x03, 0x04, FINS_KIND_BIT, NONE, 0, 0 }, /* transitions, steps */
	{ 0x05, 0x05, FINS_KIND_BIT, OLD, 0, 0 },  /* forced or not */
	{ 0x06, 0x07, FINS_KIND_BIT, NONE, 0, 0 }, /* tasks, clock pulses and condition flags */
	{ 0x09, 0x09, FINS_KIND_BIT, COUNTS, FINS_TIM_FLAGS, 0x80 },
	{ 0x0a, 0x0a, FINS_KIND_BIT, PLAIN, FINS_E_CURRENT, 0 },
	{ 0x1b, 0x1b, FINS_KIND_BIT, NONE, 0, 0 }, /* actions */
	{ 0x20, 0x2f, FINS_KIND_BIT, BANK, FINS_E, 0 },
	{ 0x30, 0x33, FINS_KIND_BIT, PLAIN, FINS_CIO, 0 }, /* CIO, W, H, A */
	{ 0x40, 0x40, FINS_KIND_FORCED_BIT, OLD, 0, 0 },
	{ 0x41, 0x41, FINS_KIND_FORCED_BIT, COUNTS, FINS_TIM_FLAGS, 0x08 },
	{ 0x43, 0x44, FINS_KIND_BIT, NONE, 0, 0 },
	{ 0x46, 0x46, FINS_KIND_BIT, NONE, 0, 0 },
	{ 0x49, 0x49, FINS_KIND_FORCED_BIT, COUNTS, FINS_TIM_FLAGS, 0x80 },
	{ 0x60, 0x68, FINS_KIND_WORD, BANK, FINS_E, 0x10 },
	{ 0x70, 0x72, FINS_KIND_FORCED_BIT, PLAIN, FINS_CIO, 0 },
	{ 0x80, 0x80, FINS_KIND_WORD, OLD, 0, 0 },
	{ 0x81, 0x81, FINS_KIND_WORD, COUNTS, FINS_TIM, 0x08 },
	{ 0x82, 0x82, FINS_KIND_WORD, PLAIN, FINS_D, 0 },
	{ 0x84, 0x84, FINS_KIND_WORD, NONE, 0, 0 },
	{ 0x85, 0x85, FINS_KIND_WORD, OLD, 0, 0 },
	{ 0x89, 0x89, FINS_KIND_WORD, COUNTS, FINS_TIM, 0x80 },
	{ 0x90, 0x97, FINS_KIND_WORD, BANK, FINS_E, 0 },
	{ 0x98, 0x98, FINS_KIND_WORD, PLAIN, FINS_E_CURRENT, 0 },
	{ 0x9c, 0x9c, FINS_KIND_WORD, NONE, 0, 0 }, /* registers */
	{ 0xa0, 0xaf, FINS_KIND_WORD, BANK, FINS_E, 0 },
	{ 0xb0, 0xb3, FINS_KIND_WORD, PLAIN, FINS_CIO, 0 },
	{ 0xbc, 0xbc, FINS_KIND_WORD, NONE, 0, 0 },
	{ 0xc0, 0xc0, FINS_KIND_FORCED_WORD, OLD, 0, 0 },
	{ 0xdc, 0xdd, FINS_KIND_LONG, NONE, 0, 0 },
	{ 0xe0, 0xe8, FINS_KIND_BIT, BANK, FINS_E, 0x10 },
	{ 0xf0, 0xf2, FINS_KIND_FORCED_WORD, PLAIN, FINS_CIO, 0 },
};

/* The form OLD numbers the words of several areas together: CIO from 0, then G and A from the
 * values below. Policies have no key for the word OLD_TRANSIENT. From OLD_END on there is no
 * area. */
#define OLD_TRANSIENT 0x09ff
#define OLD_G 0x0a00
#define OLD_A 0x0b00
#define OLD_END 0x0ec0

static const struct area *area_of(uint8_t code)
{
	for (unsigned i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		if (code >= areas[i].first && code <= areas[i].last)
			return &areas[i];
	return NULL;
}

static bool is_bit(uint8_t kind)
{
	return kind == FINS_KIND_BIT || kind == FINS_KIND_FORCED_BIT;
}

/* Sets the addresses of an item, a word or a bit of it, in an area that is addressed by bits. */
static void by_bits(struct fins_place *p, uint8_t space, uint32_t word, uint8_t bit)
{
	p->space = space;
	p->first = (uint64_t)word << 4 | bit;
	p->each = is_bit(p->kind) ? 1 : 16;
}

static void old_numbering(struct fins_place *p, uint32_t word, uint8_t bit)
{
	if (word < OLD_TRANSIENT)
		by_bits(p, FINS_CIO, word, bit);
	else if (word >= OLD_G && word < OLD_A)
		by_bits(p, FINS_G, word - OLD_G, bit);
	else if (word >= OLD_A && word < OLD_END)
		by_bits(p, FINS_A, word - OLD_A, bit);
}

static void locate(const struct area *a, struct fins_place *p, uint32_t word, uint8_t bit)
{
	/* the bit of words and flags is 0 */
	if (bit > (is_bit(p->kind) && a->form != COUNTS ? 15 : 0))
		return;
	switch ((enum form)a->form) {
	case PLAIN:
		if (a->space == FINS_CIO) {
			by_bits(p, (uint8_t)(FINS_CIO + (p->code - a->first)), word, bit);
			return;
		}
		p->space = a->space;
		p->first = word;
		p->part = is_bit(p->kind);
		break;
	case OLD:
		old_numbering(p, word, bit);
		break;
	case COUNTS:
		p->space = word >> 8 < a->bank ? a->space : (uint8_t)(a->space + (FINS_CNT - FINS_TIM));
		p->first = word >> 8 < a->bank ? word : word - ((uint32_t)a->bank << 8);
		break;
	case BANK:
		p->space = a->space;
		p->first = (uint64_t)(a->bank + (p->code - a->first)) << 16 | word;
		p->part = is_bit(p->kind);
		break;
	case NONE:
		break;
	}
}

bool fins_place_parse(struct bytes *b, struct fins_place *ret)
{
	static const uint8_t sizes[] = { [FINS_KIND_BIT] = 1,
					 [FINS_KIND_WORD] = 2,
					 [FINS_KIND_FORCED_BIT] = 1,
					 [FINS_KIND_FORCED_WORD] = 4,
					 [FINS_KIND_LONG] = 4 };
	const struct area *a;
	uint16_t word;
	uint8_t bit;

	*ret = (struct fins_place){ .space = SPACE_NONE, .each = 1 };
	bytes_u8(b, &ret->code);
	bytes_be16(b, &word);
	if (!bytes_u8(b, &bit))
		return false;
	a = area_of(ret->code);
	if (a == NULL)
		return true;
	ret->kind = a->kind;
	ret->size = sizes[a->kind];
	locate(a, ret, word, bit);
	/* bits: `first` is the word in which they begin; they may reach into the following words */
	if (ret->part)
		ret->count = bit;
	return true;
}

/* The last address of the same area or bank. */
static uint64_t end_of(const struct fins_place *p)
{
	switch (p->space) {
	case FINS_E:
		return p->first | 0xffffu;
	case FINS_CIO:
	case FINS_W:
	case FINS_H:
	case FINS_A:
	case FINS_G:
		return 0xfffff;
	default:
		return 0xffff;
	}
}

static bool is_old(uint8_t code)
{
	return code == 0x00 || code == 0x05 || code == 0x40 || code == 0x80 || code == 0x85 || code == 0xc0;
}

/* The last address of the area. In CV mode, a run of items may go on from one area into the next,
 * or from timers to counters. No single key covers such a run. */
static uint64_t area_end(const struct fins_place *p)
{
	if (is_old(p->code))
		return p->space == FINS_CIO ? ((uint64_t)OLD_TRANSIENT << 4) - 1u
		       : p->space == FINS_G ? ((uint64_t)(OLD_A - OLD_G) << 4) - 1u
					    : ((uint64_t)(OLD_END - OLD_A) << 4) - 1u;
	if (p->space == FINS_TIM || p->space == FINS_TIM_FLAGS)
		return (p->code & 0x0fu) == 0x09u ? 0x7fff : 0x07ff;
	return end_of(p);
}

bool fins_place_extend(struct fins_place *p, uint32_t items)
{
	uint64_t bit = p->part ? p->count : 0;

	if (items == 0)
		return false;
	p->count = p->part ? (bit + items + 15u) >> 4 : (uint64_t)items * p->each;
	if (p->space == SPACE_NONE)
		return true;
	if (p->count - 1u > end_of(p) - p->first)
		return false;
	if (p->first > area_end(p) || p->count - 1u > area_end(p) - p->first)
		p->space = SPACE_NONE;
	return true;
}
