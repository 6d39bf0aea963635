/* SPDX-License-Identifier: MIT */
/* Words of a config file. Private to core/config*.c. */
#ifndef CORE_CONFIG_LEX_H
#define CORE_CONFIG_LEX_H

#include "core/config.h"
#include "core/types.h"

struct token {
    struct str text; /* without its quotes */
    struct place place;
    bool brace; /* '{' or '}' by itself, where the lexer knows braces */
};

struct lex_pos {
    u32 at, line, line_start;
};

struct lexer {
    struct str text;
    u16 file;
    struct lex_pos pos;
    bool braces;             /* '{' and '}' without quotes are words of their own */
    struct cfg_arena *arena; /* for quoted words; NULL: their text is left empty */
    struct diag *diag;       /* NULL: silent */
};

/* A text with a zero byte in it is none: that is told, and there are no words. */
void lex_init(struct lexer *l, struct str text, u16 file, struct cfg_arena *arena,
              struct diag *diag);

/* The next word; false at the end of the text. */
bool lex_next(struct lexer *l, struct token *t) MUST_CHECK;

/*
 * $asinfo_start{NAME} and $asinfo_length{NAME} in a word by their values, by config_areas. False:
 * they have none, which is told; the word is as before.
 */
bool lex_replace_areas(const struct lexer *l, struct token *t) MUST_CHECK;

/* Numbers as they stand in configs: decimal, 0x hex, 0d decimal. */
enum num_result { NUM_OK, NUM_BAD, NUM_RANGE };
enum num_result num_read(struct str s, u64 *v) MUST_CHECK;
/* The same with an optional K M G T (binary, either case) behind it. */
enum num_result num_read_size(struct str s, u64 *v) MUST_CHECK;
enum num_result num_read_octal(struct str s, u64 *v) MUST_CHECK;
/* 1|0|yes|no|on|off|true|false|enable|disable */
bool bool_read(struct str s, bool *v) MUST_CHECK;

/* The words nearest to a mistyped one, best first. */
#define SUGGESTIONS 3
struct suggest {
    struct str word;
    const char *best[SUGGESTIONS];
    u32 distance[SUGGESTIONS];
    u32 count;
};
void suggest_add(struct suggest *s, const char *candidate);
/* "; did you mean 'a', 'b' or 'c'?" or "", into buf. */
const char *suggest_text(const struct suggest *s, char *buf, size_t size);

#endif
