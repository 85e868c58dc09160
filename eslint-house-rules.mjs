/** Rules of the house that no package has: an exception is allowed, but it says why. */

const explainedAssertion = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: {
      unexplained:
        'Say why this `as` holds, in a comment on its line or above it; better, do without it.',
    },
  },
  create(context) {
    const commented = new Set(
      context.sourceCode
        .getAllComments()
        .filter((comment) => !comment.value.startsWith('*')) // a docstring is about something else
        .map((comment) => comment.loc.end.line),
    );
    return {
      'TSAsExpression, TSTypeAssertion'(node) {
        if (node.typeAnnotation.typeName?.name === 'const') return;
        const { start, end } = node.loc;
        for (let line = start.line - 1; line <= end.line; line++) if (commented.has(line)) return;
        context.report({ node, messageId: 'unexplained' });
      },
    };
  },
};

const explainedDisable = {
  meta: {
    type: 'suggestion',
    schema: [],
    messages: { unexplained: 'Say why the rule does not fit here: `-- because …` at the end.' },
  },
  create(context) {
    return {
      Program() {
        for (const comment of context.sourceCode.getAllComments()) {
          if (!/^\s*eslint-disable/.test(comment.value) || comment.value.includes(' -- ')) continue;
          context.report({ loc: comment.loc, messageId: 'unexplained' });
        }
      },
    };
  },
};

export default {
  rules: { 'explained-assertion': explainedAssertion, 'explained-disable': explainedDisable },
};
