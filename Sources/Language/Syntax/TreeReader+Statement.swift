import CPostgresParser

extension TreeReader {
    func statement(_ node: Node) -> StatementSyntax {
        let value = node.pointee
        switch value.node_case {
        case PG_QUERY__NODE__NODE_CREATE_STMT: return .table(table(value.create_stmt.pointee))
        case PG_QUERY__NODE__NODE_VIEW_STMT: return view(value.view_stmt.pointee)
        case PG_QUERY__NODE__NODE_SELECT_STMT: return .select(select(value.select_stmt.pointee, in: statement.span))
        case PG_QUERY__NODE__NODE_VARIABLE_SET_STMT: return setting(value.variable_set_stmt.pointee)
        default:
            let words = (statement.first...min(statement.first + 1, statement.last)).compactMap(tokens.keyword)
                .map { $0.uppercased() }.joined(separator: " ")
            return .unsupported(
                Refusal(
                    message: "\(words.isEmpty ? "this statement" : words) is not a definition",
                    remedy: "definitions are CREATE TABLE, CREATE VIEW, SET TimeZone and one bare SELECT",
                    span: span(statement.first, words.contains(" ") ? statement.first + 1 : statement.first)))
        }
    }

    // MARK: CREATE TABLE

    private func table(_ table: PgQuery__CreateStmt) -> TableSyntax {
        let relation = table.relation.pointee
        let first = token(relation.location)
        var refusals: [Refusal] = []
        if name(relation.schemaname) != nil {
            refusals.append(
                Refusal(
                    message: "a definition has no schemas", remedy: "write the table's name alone: \(string(relation.relname))",
                    span: span(first, first + 2)))
        }
        var syntax = TableSyntax(
            name: Name(text: string(relation.relname), span: span(first, name(relation.schemaname) == nil ? first : first + 2)),
            columns: [],
            primaryKey: [], options: list(table.options, table.n_options).compactMap(option), refusals: refusals)
        for element in list(table.table_elts, table.n_table_elts) {
            switch element.pointee.node_case {
            case PG_QUERY__NODE__NODE_COLUMN_DEF: column(element.pointee.column_def.pointee, into: &syntax)
            case PG_QUERY__NODE__NODE_CONSTRAINT: constraint(element.pointee.constraint.pointee, into: &syntax)
            default:
                syntax.refusals.append(
                    Refusal(
                        message: "LIKE is not in the vocabulary of CREATE TABLE", remedy: "list the columns",
                        span: syntax.name.span))
            }
        }
        if table.n_inh_relations > 0 || table.partspec != nil || table.partbound != nil || table.of_typename != nil {
            syntax.refusals.append(
                Refusal(
                    message: "a stream has neither parents nor partitions", remedy: "leave INHERITS, PARTITION BY and OF out",
                    span: syntax.name.span))
        }
        return syntax
    }

    private func column(_ column: PgQuery__ColumnDef, into table: inout TableSyntax) {
        let first = token(column.location)
        guard let typeName = column.type_name?.pointee else { return }
        let columnName = string(column.colname)
        var result = TableSyntax.Column(
            name: Name(text: columnName, span: span(first, first)), type: type(typeName), isNotNull: column.is_not_null != 0,
            isPrimaryKey: false)
        for node in list(column.constraints, column.n_constraints) where node.pointee.node_case == PG_QUERY__NODE__NODE_CONSTRAINT
        {
            let constraint = node.pointee.constraint.pointee
            switch constraint.contype {
            case PG_QUERY__CONSTR_TYPE__CONSTR_NOTNULL: result.isNotNull = true
            case PG_QUERY__CONSTR_TYPE__CONSTR_NULL: break
            case PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY: result.isPrimaryKey = true
            default: table.refusals.append(refusal(constraint))
            }
        }
        if column.coll_clause != nil {
            table.refusals.append(
                Refusal(
                    message: "COLLATE is not in the vocabulary: text compares by code point", remedy: "leave it out",
                    span: result.type.span))
        }
        table.columns.append(result)
    }

    private func constraint(_ constraint: PgQuery__Constraint, into table: inout TableSyntax) {
        guard constraint.contype == PG_QUERY__CONSTR_TYPE__CONSTR_PRIMARY else {
            table.refusals.append(refusal(constraint))
            return
        }
        let first = token(constraint.location)
        let open = (first...min(first + 6, statement.last)).first { partner($0) != nil }
        let names = strings(constraint.keys, constraint.n_keys)
        for (index, key) in names.enumerated() {
            let place = open.map { $0 + 1 + 2 * index } ?? first
            table.primaryKey.append(Name(text: key, span: span(place, place)))
        }
    }

    private func refusal(_ constraint: PgQuery__Constraint) -> Refusal {
        let first = token(constraint.location)
        let words: String
        switch constraint.contype {
        case PG_QUERY__CONSTR_TYPE__CONSTR_DEFAULT: words = "DEFAULT"
        case PG_QUERY__CONSTR_TYPE__CONSTR_CHECK: words = "CHECK"
        case PG_QUERY__CONSTR_TYPE__CONSTR_UNIQUE: words = "UNIQUE"
        case PG_QUERY__CONSTR_TYPE__CONSTR_FOREIGN: words = "REFERENCES"
        case PG_QUERY__CONSTR_TYPE__CONSTR_GENERATED, PG_QUERY__CONSTR_TYPE__CONSTR_IDENTITY: words = "GENERATED"
        default: words = "this constraint"
        }
        return Refusal(
            message: "\(words) is not in the vocabulary of CREATE TABLE: a stream takes events as they are sent",
            remedy: "columns take NOT NULL and PRIMARY KEY; what is computed goes into a view", span: span(first, first))
    }

    private func option(_ node: Node) -> TableSyntax.Option? {
        guard node.pointee.node_case == PG_QUERY__NODE__NODE_DEF_ELEM else { return nil }
        let element = node.pointee.def_elem.pointee
        let first = token(element.location)
        // `name = value`, or the name alone.
        let last = tokens.text(first + 1) == "=" ? first + 2 : first
        return .init(
            name: string(element.defname), value: optionValue(element.arg),
            span: span(first, tokens.text(last) == "-" ? last + 1 : last))
    }

    private func optionValue(_ node: Node?) -> TableSyntax.Option.Value {
        guard let value = node?.pointee else { return .missing }
        switch value.node_case {
        case PG_QUERY__NODE__NODE_STRING: return .text(string(value.string.pointee.sval))
        case PG_QUERY__NODE__NODE_INTEGER: return .integer(Int64(value.integer.pointee.ival))
        case PG_QUERY__NODE__NODE_FLOAT:
            let digits = string(value.float_.pointee.fval)
            return Int64(digits).map { .integer($0) } ?? .text(digits)
        // A bare word is read as a type's name.
        case PG_QUERY__NODE__NODE_TYPE_NAME:
            return .text(strings(value.type_name.pointee.names, value.type_name.pointee.n_names).last ?? "")
        default: return .missing
        }
    }

    // MARK: CREATE VIEW, SET

    private func view(_ view: PgQuery__ViewStmt) -> StatementSyntax {
        let first = token(view.view.pointee.location)
        guard let query = view.query, query.pointee.node_case == PG_QUERY__NODE__NODE_SELECT_STMT,
            let after = find(["as"], in: span(first, statement.last)), after < statement.last
        else {
            return .unsupported(Refusal(message: "a view is CREATE VIEW name AS SELECT …", remedy: nil, span: statement.span))
        }
        var refusals: [Refusal] = []
        if name(view.view.pointee.schemaname) != nil {
            refusals.append(
                Refusal(
                    message: "a definition has no schemas",
                    remedy: "write the view's name alone: \(string(view.view.pointee.relname))",
                    span: span(first, first + 2)))
        }
        if view.n_options > 0, let with = find(["with"], in: span(first, after)) {
            refusals.append(
                Refusal(
                    message: "a view takes no options",
                    remedy: "event_time, lateness, idle_after and max_ahead belong to CREATE TABLE",
                    span: span(with, partner(with + 1) ?? with)))
        }
        if view.with_check_option == PG_QUERY__VIEW_CHECK_OPTION__LOCAL_CHECK_OPTION
            || view.with_check_option == PG_QUERY__VIEW_CHECK_OPTION__CASCADED_CHECK_OPTION
        {
            refusals.append(
                Refusal(
                    message: "WITH CHECK OPTION has no meaning for a view of events", remedy: "leave it out",
                    span: span(first, first)))
        }
        return .view(
            ViewSyntax(
                name: Name(text: string(view.view.pointee.relname), span: span(first, first)),
                columns: strings(view.aliases, view.n_aliases),
                query: select(query.pointee.select_stmt.pointee, in: span(after + 1, statement.last)), refusals: refusals))
    }

    private func setting(_ setting: PgQuery__VariableSetStmt) -> StatementSyntax {
        let whole = statement.span
        guard string(setting.name).lowercased() == "timezone", setting.kind == PG_QUERY__VARIABLE_SET_KIND__VAR_SET_VALUE else {
            return .unsupported(
                Refusal(
                    message: "\(string(setting.name)) is not a setting of Millrace",
                    remedy: "the one setting is SET TimeZone = 'Area/City'", span: whole))
        }
        guard setting.n_args == 1, let argument = setting.args[0], case .string(let zone) = expression(argument).kind else {
            return .unsupported(
                Refusal(
                    message: "the time zone must be the name of a zone", remedy: "write SET TimeZone = 'Europe/Berlin', or 'UTC'",
                    span: whole))
        }
        return .timeZone(zone, whole)
    }
}
