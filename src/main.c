/* argv to the command table; all else is in cli/. */
int main(void)
{
        return 0;
}
