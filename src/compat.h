/*
 * compat.h: the one place that knows how PostgreSQL's versions differ. Call
 * sites read like the newest version.
 */
#ifndef MP_COMPAT_H
#define MP_COMPAT_H

#if PG_VERSION_NUM < 140000
#error "model_predict needs PostgreSQL 14 or later"
#endif

/* 15: reserved prefixes of settings got their name */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* 16: relation file nodes became locators */
#if PG_VERSION_NUM >= 160000
#define mp_relation_file(rel) ((rel)->rd_locator.relNumber)
#else
#define mp_relation_file(rel) ((rel)->rd_node.relNode)
#endif

/* 16: inner joins can be asked for apart from outer ones */
#if PG_VERSION_NUM >= 160000
#define mp_relids_in_jointree(tree) get_relids_in_jointree(tree, true, true)
#else
#define mp_relids_in_jointree(tree) get_relids_in_jointree(tree, true)
#endif

#endif
