// Command prose reports wording that the project's style avoids, in comments,
// messages and documents of all tracked files. It prints one line for each finding
// and exits with status 1 if there are any.
package main
